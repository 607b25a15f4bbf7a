"""The front door: names that are there when they are used, and nothing heavy before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lrtkit

BLOCKED_IMPORTS = """
import importlib, pkgutil, sys

HEAVY = {"pandas", "numpy", "matplotlib", "IPython", "ipywidgets", "tqdm", "moto", "ministack"}
NEEDS_NUMPY = {"worker.workloads.argon", "worker.workloads.lennard_jones"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise ImportError(f"{name} is imported by the core")

sys.meta_path.insert(0, Blocker())

def load(name):
    module = importlib.import_module(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        if found.name not in NEEDS_NUMPY:
            load(found.name)

import lrtkit
there = {found.name for found in pkgutil.iter_modules(lrtkit.__path__)}
for name in ("wire", "salad", "scaling", "autoscaler", "function", "connection", "queues", "resuming", "submissions"):
    if name in there:
        load(f"lrtkit.{name}")
load("worker")
print(lrtkit.connect.__name__, lrtkit.queues.__name__, lrtkit.Checkpoint.__name__)
"""


def test_core_and_worker_import_nothing_heavy() -> None:
    """The wire, the autoscaler's parts and the worker start where there is boto3 and no more."""
    run = subprocess.run([sys.executable, "-c", BLOCKED_IMPORTS], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.stdout == "connect lrtkit.queues Checkpoint\n"


@pytest.mark.parametrize("name", lrtkit.__all__)
def test_every_public_name_resolves(name: str) -> None:
    """Each name of the list is there, under that name, and is listed for completion."""
    assert getattr(lrtkit, name).__name__ == name
    assert name in dir(lrtkit)


@pytest.mark.parametrize("name", lrtkit._MODULES)
def test_submodules_need_no_import_of_their_own(name: str) -> None:
    """`lrtkit.charts` works after `import lrtkit` alone."""
    assert getattr(lrtkit, name).__name__ == f"lrtkit.{name}"


def test_completion_offers_the_kit_alone() -> None:
    """Neither what the package imports for itself nor its inner modules stand between the names that one looks for."""
    offered = [name for name in dir(lrtkit) if not name.startswith("__")]
    assert offered == sorted({*lrtkit._HOMES, *lrtkit._MODULES})


def test_unknown_name_says_which_there_are() -> None:
    """A slip of the pen is answered by the names that exist."""
    with pytest.raises(AttributeError, match=r"lrtkit has no 'Experimant'. Try one of: .*Experiment, .*charts"):
        _ = lrtkit.Experimant


def test_a_missing_package_is_told_with_what_to_do() -> None:
    """Where pandas is not installed, the last line says so in one sentence, and where it looked."""
    code = "import sys; sys.modules['pandas'] = None; from lrtkit import Experiment"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = run.stderr.splitlines()[-1]
    assert last.startswith(
        "lrtkit.wire.errors.NotInstalled: lrtkit.experiment needs pandas, which is not installed in "
    )
    assert last.endswith("Try: pip install -e '.[all]', or another kernel")


def test_a_cell_shows_that_sentence_alone(tmp_path: Path) -> None:
    """In a notebook no traceback of imports stands before it, neither for the kit nor for the local cloud."""
    cells = {"from lrtkit import Experiment, local": "pandas", "from lrtkit import local": "psutil"}
    blocked = "import importlib.util as u, sys; find = u.find_spec\n"
    blocked += "u.find_spec = lambda name: None if name == 'psutil' else find(name); sys.modules['pandas'] = None\n"
    shell = "from IPython.core.interactiveshell import InteractiveShell as Shell; shell = Shell(colors='nocolor')\n"
    code = blocked + shell + "".join(f"shell.run_cell({cell!r})\n" for cell in cells)
    env = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    told = (run.stdout + run.stderr).splitlines()
    assert len(told) == 2, told
    for line, package in zip(told, cells.values(), strict=True):
        assert line.startswith("NotInstalled: ")
        assert f" needs {package}, " in line
        assert "Try: pip install -e " in line
