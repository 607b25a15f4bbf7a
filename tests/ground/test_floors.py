"""The floors of the house bite: `make lint` keeps them, and here one wrong import at a time breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS = "Imports run downwards"
LOCAL_APART = "Nothing imports the local cloud"
WORKER_APART = "Nothing imports the worker"
WIRE_ONLY = "The worker and the local cloud know nothing"
LIGHT = "What runs in a container"
SERVERS = "Only the local cloud has servers"
TESTS_ONLY = "What only tests and chores use"

BREACHES = (
    ("lrtkit/wire/keys.py", "from lrtkit import connection", FLOORS),
    ("lrtkit/connection.py", "from lrtkit.jobs import check", FLOORS),
    ("lrtkit/queues/making.py", "from lrtkit import charts", FLOORS),
    ("lrtkit/jobs/table.py", "from lrtkit.progress import Progress", FLOORS),
    ("lrtkit/autoscaler/scaler.py", "from lrtkit.experiment import Experiment", FLOORS),
    ("lrtkit/helpers.py", "import json", FLOORS),
    ("lrtkit/connection.py", "from lrtkit import local", LOCAL_APART),
    ("lrtkit/dashboard/board.py", "from lrtkit.experiment import Experiment", FLOORS),
    ("lrtkit/dashboard/board.py", "from lrtkit.local import up", LOCAL_APART),
    ("lrtkit/experiment.py", "from worker.stop import SIGNALS", WORKER_APART),
    ("worker/loop.py", "from lrtkit.queues import describe", WIRE_ONLY),
    ("worker/loop.py", "import lrtkit", WIRE_ONLY),
    ("lrtkit/local/folder.py", "from lrtkit import queues", WIRE_ONLY),
    ("worker/host.py", "import numpy", LIGHT),
    ("lrtkit/wire/job.py", "import pandas", LIGHT),
    ("lrtkit/scaling/rules.py", "import lrtkit", LIGHT),
    ("lrtkit/autoscaler/ledger.py", "import matplotlib", LIGHT),
    ("lrtkit/salad/client.py", "def later():\n    import ipywidgets", LIGHT),
    ("lrtkit/connection.py", "import psutil", SERVERS),
    ("worker/node.py", "import starlette", SERVERS),
    ("lrtkit/local/servers.py", "import moto", TESTS_ONLY),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and of their floors."""
    copy = tmp_path_factory.mktemp("house")
    for package in ("lrtkit", "worker"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """Check the floors of this copy, and not of the installed packages."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"}
    return subprocess.run(command, cwd=house, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_house_stands(house: Path) -> None:
    """The copy without a breach passes, so that it is the breach that fails below."""
    checked = lint(house)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("name", "line", "contract"), BREACHES)
def test_a_breach_is_found(house: Path, name: str, line: str, contract: str) -> None:
    """One wrong import, or one module without a place, breaks the contract that is about it."""
    path = house / name
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        checked = lint(house)
    finally:
        path.write_text(before) if before is not None else path.unlink()
    assert checked.returncode == 1
    assert any(line.startswith(contract) and " BROKEN" in line for line in checked.stdout.splitlines()), checked.stdout
