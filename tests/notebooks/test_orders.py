"""The notebooks in the order of their numbers on one cloud, and all of them again: whatever was done, each runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lrtkit import Experiment, connect, local
from lrtkit.autoscaler import Autoscaler
from tests.notebooks.running import NOTEBOOKS, complaints, run, shown_secrets

# Those that share a cloud; 03 and 05 have workers of another kind, and 01 makes queues of its own.
ORDER = ("00_quickstart", "02_submit_jobs", "04_watch_progress", "06_failures")


def test_in_the_order_of_their_numbers_and_again(tmp_path: Path) -> None:
    """The second time, in kernels that know of nothing, no attempt is made that the first time has not made.

    The reverse order is that of ``test_stories``, where each notebook runs twice in one kernel.
    """
    argon = pd.read_csv(NOTEBOOKS / "data" / "argon.csv").iloc[4:8]
    argon.head(2).assign(steps=6000).to_csv(tmp_path / "measured.csv", index=False)
    argon.assign(steps=300, equilibration=100).to_csv(tmp_path / "short.csv", index=False)
    short = str(tmp_path / "short.csv")
    parameters: dict[str, dict[str, object]] = {
        "00_quickstart": {"table": str(tmp_path / "measured.csv"), "replicas": 2, "out_folder": str(tmp_path)},
        "02_submit_jobs": {"table": short, "number": 4},
        "04_watch_progress": {"table": short, "number": 2},
        "06_failures": {"long_steps": 3000},
    }
    try:
        assert_run(tmp_path, parameters)
        before = {name: experiment(name, tmp_path).attempts() for name in ("argon", "watching", "failing")}
        assert_run(tmp_path, parameters)
        for name, attempts in before.items():
            pd.testing.assert_frame_equal(experiment(name, tmp_path).attempts(), attempts)
        assert_over(tmp_path)
    finally:
        local.down(tmp_path / ".lrt")


def assert_run(folder: Path, parameters: dict[str, dict[str, object]]) -> None:
    """Run every notebook; none writes to the error stream or shows a key."""
    for name in ORDER:
        executed = run(f"{name}.ipynb", {"cloud_folder": str(folder / ".lrt"), **parameters[name]}, into=folder)
        assert complaints(executed) == [], name
        assert shown_secrets(executed, folder / ".lrt") == [], name


def assert_over(folder: Path) -> None:
    """By bucket, queue and SaladCloud: nothing waits, runs or costs any more."""
    for name in ("argon", "submitting", "watching"):
        assert set(experiment(name, folder).status()["state"]) == {"done"}, name
    assert experiment("failing", folder).status()["state"].value_counts().to_dict() == {"done": 4, "failed": 2}
    seen = Autoscaler.from_env_file(folder / ".lrt" / "autoscaler.env").look()
    assert (seen.open_jobs, seen.status, seen.running) == (0, "stopped", 0)


def experiment(name: str, folder: Path) -> Experiment:
    return Experiment(name, connect(folder / ".lrt" / "submitter.env"))
