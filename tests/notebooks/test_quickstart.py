"""The quickstart, run as papermill runs it, on a smaller table."""

from __future__ import annotations

import base64

import nbformat
import pandas as pd
import pytest

from lrtkit import Experiment, connect
from tests.notebooks.running import NOTEBOOKS, complaints, run, shown_secrets


@pytest.fixture(scope="module")
def executed(folder) -> nbformat.NotebookNode:
    """The executed notebook: six jobs on two machines that vanish every quarter of a minute."""
    jobs = pd.read_csv(NOTEBOOKS / "data" / "argon.csv").iloc[4:10]
    jobs.assign(steps=7000).to_csv(folder / "jobs.csv", index=False)
    parameters = {
        "table": str(folder / "jobs.csv"),
        "replicas": 2,
        "interruptions_per_hour": 240,
        "cloud_folder": str(folder / ".lrt"),
        "out_folder": str(folder / "out"),
    }
    return run("00_quickstart.ipynb", parameters, into=folder, within_s=420)


def test_every_job_of_the_table_is_done_once(executed, folder):
    """The bucket, not the notebook's own words, says that each of the six jobs has one result."""
    exp = Experiment("argon", connect(folder / ".lrt" / "submitter.env"))
    assert (exp.status()["state"] == "done").tolist() == [True] * 6
    assert exp.attempts()["outcome"].value_counts()["done"] == 6
    assert exp.results()["pressure"].notna().all()
    depth = exp.depth().iloc[-1]
    assert (depth["waiting"], depth["in_flight"], depth["dead"]) == (0, 0, 0)


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


def test_nothing_warns_and_no_key_shows(executed, folder):
    """No output is on the error stream, and no secret of the env files is in any output."""
    assert complaints(executed) == []
    assert shown_secrets(executed, folder / ".lrt") == []
