"""The quickstart, run as papermill runs it, on a smaller table."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from lrtkit import Experiment, connect
from lrtkit.autoscaler import Autoscaler
from tests.notebooks.running import NOTEBOOKS, complaints, run, shown_secrets


@pytest.fixture(scope="module")
def parameters(folder: Path) -> dict[str, object]:
    """Six jobs on two machines that vanish every quarter of a minute."""
    jobs = pd.read_csv(NOTEBOOKS / "data" / "argon.csv").iloc[4:10]
    jobs.assign(steps=7000).to_csv(folder / "jobs.csv", index=False)
    return {
        "table": str(folder / "jobs.csv"),
        "replicas": 2,
        "interruptions_per_hour": 240,
        "out_folder": str(folder / "out"),
    }


@pytest.fixture(scope="module")
def executed(folder: Path, parameters: dict[str, object]) -> nbformat.NotebookNode:
    """The executed notebook, on a cloud that is not there yet."""
    return on_the_cloud("00_quickstart", folder, parameters)


def on_the_cloud(name: str, folder: Path, parameters: Mapping[str, object]) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of its own; it writes nothing to the error stream and shows no key."""
    executed = run(f"{name}.ipynb", {"cloud_folder": str(folder / ".lrt"), **parameters}, into=folder, within_s=420)
    assert complaints(executed) == [], name
    assert shown_secrets(executed, folder / ".lrt") == [], name
    return executed


def experiment(name: str, folder: Path) -> Experiment:
    return Experiment(name, connect(folder / ".lrt" / "submitter.env"))


def test_every_job_of_the_table_is_done_once(executed, folder):
    """The bucket, not the notebook's own words, says that each of the six jobs has one result."""
    exp = Experiment("argon", connect(folder / ".lrt" / "submitter.env"))
    assert (exp.status()["state"] == "done").tolist() == [True] * 6
    assert exp.attempts()["outcome"].value_counts()["done"] == 6
    assert exp.results()["pressure"].notna().all()
    depth = exp.depth().iloc[-1]
    assert (depth["waiting"], depth["in_flight"]) == (0, 0)
    assert exp.dead_letters().empty


def test_its_pictures_lie_where_it_says(executed, folder):
    """Four charts are left as PNG files."""
    names = sorted(path.name for path in (folder / "out").glob("*.png"))
    assert names == ["attempts.png", "pressure.png", "progress.png", "queue_depth.png"]


def test_the_live_picture_survives(executed):
    """The cell that watched keeps its last picture, with a text for whoever cannot see it."""
    watched = next(cell for cell in executed.cells if "dashboard.watch" in cell.source)
    data = next(output.data for output in watched.outputs if output.output_type == "display_data")
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "all finished" in data["text/plain"]
    assert 'alt="' in data["text/html"]


def test_the_others_run_after_it_and_it_again(executed, folder, parameters):
    """02, 04 and 06 run on its cloud, then 00 and 04 in kernels that know of nothing, and no attempt is made twice.

    The reverse order is that of ``test_stories``, where each notebook runs twice in one kernel.
    """
    short = pd.read_csv(folder / "jobs.csv").head(4).assign(steps=300, equilibration=100)
    short.to_csv(folder / "short.csv", index=False)
    few = {"table": str(folder / "short.csv"), "number": 4}
    on_the_cloud("02_submit_jobs", folder, few)
    on_the_cloud("04_watch_progress", folder, few)
    on_the_cloud("06_failures", folder, {"long_steps": 3000})
    before = {name: experiment(name, folder).attempts() for name in ("argon", "watching")}
    on_the_cloud("00_quickstart", folder, parameters)
    on_the_cloud("04_watch_progress", folder, few)
    for name, attempts in before.items():
        pd.testing.assert_frame_equal(experiment(name, folder).attempts(), attempts)
    assert set(experiment("submitting", folder).status()["state"]) == {"done"}, "04's workers take what 02 left"
    assert experiment("failing", folder).status()["state"].value_counts().to_dict() == {"done": 4, "failed": 2}
    seen = Autoscaler.from_env_file(folder / ".lrt" / "autoscaler.env").look()
    assert (seen.open_jobs, seen.status, seen.running) == (0, "stopped", 0)
