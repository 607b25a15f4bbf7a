"""The worker's container, as far as it shows without Docker: its recipe, and the kit with boto3 alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
EXIT_SETTINGS = 78
FOR_METADATA = {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}
FOR_THE_WORKER = {"lrtkit/__init__.py", "lrtkit/wire", "worker"}
NEEDS_NUMPY = {"worker.workloads.argon", "worker.workloads.lennard_jones"}
FACE = {
    "__main__",
    "artifacts",
    "backtest",
    "charts",
    "control",
    "dashboard",
    "depths",
    "experiment",
    "jobs",
    "local",
    "panel",
    "printing",
    "progress",
    "submitting",
}
"""Modules of lrtkit that need an extra; all others get on with the core."""

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
heavy = {"IPython", "ipywidgets", "matplotlib", "numpy", "pandas"} & sys.modules.keys()
assert not heavy, heavy
"""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each as its word and what follows."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def all_of(word: str) -> list[str]:
    return [rest for each, rest in instructions() if each == word]


def copies() -> list[tuple[list[str], str]]:
    """What is copied, and where to."""
    return [(rest.split()[:-1], rest.split()[-1]) for rest in all_of("COPY")]


def copied() -> set[str]:
    return {source for sources, _ in copies() for source in sources}


def core() -> list[metadata.Distribution]:
    """What `pip install .` brings beside the kit: the core dependencies and what they need in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(line) for line in project["dependencies"]]
    while waiting:
        each = waiting.pop()
        if each.name not in found and (each.marker is None or each.marker.evaluate({"extra": ""})):
            found[each.name] = metadata.distribution(each.name)
            waiting += [Requirement(line) for line in found[each.name].requires or []]
    return list(found.values())


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the core's packages, and no others."""
    folder = tmp_path_factory.mktemp("packages")
    for distribution in core():
        tops = {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}
        for top in tops:
            (folder / top).symlink_to(str(distribution.locate_file(top)))
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the Dockerfile copies, where it copies them to."""
    folder = tmp_path_factory.mktemp("image")
    for sources, target in copies():
        for source in sources:
            place = folder / target / Path(source).name if target.endswith("/") else folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, place)
    return folder


def run(folder: Path, packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with the standard library and these packages and nothing else."""
    env = {"PATH": os.defpath, "PYTHONPATH": f"{folder}{os.pathsep}{packages}"}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def modules(folder: Path, pattern: str) -> set[str]:
    """The names of the modules under a folder whose files match."""
    found = (path.relative_to(folder).with_suffix("").parts for path in folder.glob(pattern))
    return {".".join(parts).removesuffix(".__init__") for parts in found if parts[-1] != "__main__"}


def test_the_base_is_pinned() -> None:
    """The image begins with one minor version of Python, which the kit supports, on one release of Debian."""
    (base,) = all_of("FROM")
    assert re.fullmatch(r"python:3\.1[1-4]-slim-[a-z]+", base)


def test_only_what_the_worker_needs_is_copied() -> None:
    """What is copied is the package's metadata, the wire and the worker, all of it there."""
    assert copied() == FOR_METADATA | FOR_THE_WORKER
    assert all((ROOT / source).exists() for source in copied())
    assert not all_of("ADD")


def test_nothing_else_is_sent_to_the_builder() -> None:
    """Keys, results and history stay at home: the builder sees what is copied, and no env file even there."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    readmitted = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    assert readmitted == copied()
    assert {"**/*.env", "**/.lrt"} <= set(rules[1 + len(readmitted) :])


def test_no_secret_is_in_the_recipe() -> None:
    """Keys come with the container group's environment, never with the image."""
    for word in ("ENV", "ARG"):
        for rest in all_of(word):
            assert not re.search(r"KEY|SECRET|TOKEN|PASSWORD|R2_|SQS_|AWS_", rest), rest


def test_packages_are_the_pinned_ones() -> None:
    """Every installation in the image goes by the constraints, and leaves no cache behind."""
    installs = [rest for rest in all_of("RUN") if "pip install" in rest]
    assert installs
    assert all("--constraint constraints.txt" in rest and "--no-cache-dir" in rest for rest in installs)


def test_the_worker_runs_as_nobody_special() -> None:
    """The last user is not root, and given as a number, so that a cluster can tell."""
    assert int(all_of("USER")[-1]) > 0


def test_the_worker_gets_the_stop_signal() -> None:
    """The entry point is the worker itself and no shell, and what it says comes out at once."""
    (entry,) = all_of("ENTRYPOINT")
    assert json.loads(entry) == ["python", "-m", "worker"]
    assert any("PYTHONUNBUFFERED=1" in rest for rest in all_of("ENV"))


def test_the_worker_starts_from_what_is_copied(image: Path, packages: Path) -> None:
    """Without settings it leaves with 78 and one sentence that says what is missing."""
    started = run(image, packages, "-m", "worker")
    assert started.returncode == EXIT_SETTINGS, started.stderr
    assert started.stdout == ""
    assert started.stderr.startswith("worker: ")
    assert "SQS_QUEUE_URL" in started.stderr
    assert started.stderr.count("\n") == 1


def test_all_that_is_copied_imports_with_boto3_alone(image: Path, packages: Path) -> None:
    """Each module of the image gets on with the core, but for the workload that says it needs NumPy."""
    names = modules(image, "**/*.py") - NEEDS_NUMPY
    assert {"worker.host", "worker.workloads.slow_sum", "lrtkit.wire.sqs"} <= names
    imported = run(image, packages, "-c", IMPORT_ALL, *sorted(names))
    assert imported.returncode == 0, imported.stderr


def test_the_core_imports_with_boto3_alone(packages: Path) -> None:
    """Each module of lrtkit that is no part of its face imports without pandas, NumPy, matplotlib and IPython."""
    names = {name for name in modules(ROOT, "lrtkit/**/*.py") if not FACE & set(name.split(".")[1:2])}
    assert {"lrtkit", "lrtkit.connection", "lrtkit.scaling", "lrtkit.autoscaler"} <= names
    imported = run(ROOT, packages, "-c", IMPORT_ALL, *sorted(names))
    assert imported.returncode == 0, imported.stderr


def test_the_face_does_not(packages: Path) -> None:
    """The check above is sharp: where pandas is not installed, what needs it does not import."""
    imported = run(ROOT, packages, "-c", IMPORT_ALL, "lrtkit.experiment")
    assert "No module named 'pandas'" in imported.stderr
