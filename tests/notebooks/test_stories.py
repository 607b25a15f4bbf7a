"""The notebooks about failing, watching and submitting, in this order on one cloud, each run twice in its kernel."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from lrtkit import Experiment, connect
from tests.notebooks.running import NOTEBOOKS, complaints, run, shown_secrets


def story(name: str, folder: Path, **parameters: object) -> nbformat.NotebookNode:
    """Run a notebook on the one cloud, and all of it again."""
    return run(f"{name}.ipynb", {"cloud_folder": str(folder / ".lrt"), **parameters}, into=folder, twice=True)


def data(executed: nbformat.NotebookNode, source: str, *, again: bool = False) -> dict[str, str]:
    """The first output, in all its forms, of the cell whose source holds these words, in the first or second run."""
    cells = [cell for cell in executed.cells if cell.cell_type == "code" and source in cell.source]
    outputs = cells[len(cells) // 2 if again else 0].outputs
    return next(out.data for out in outputs if out.output_type in {"display_data", "execute_result"})


@pytest.fixture(scope="module")
def failures(folder: Path) -> nbformat.NotebookNode:
    """06 on a cloud that is not there yet."""
    return story("06_failures", folder, long_steps=6000)


@pytest.fixture(scope="module")
def watched(folder: Path, failures: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """04 after it, on five jobs whose machines vanish."""
    jobs = pd.read_csv(NOTEBOOKS / "data" / "argon.csv").iloc[4:9]
    jobs.assign(steps=6000).to_csv(folder / "jobs.csv", index=False)
    given = {"table": str(folder / "jobs.csv"), "number": 5, "interruptions_per_hour": 120}
    return story("04_watch_progress", folder, **given)


@pytest.fixture(scope="module")
def submitted(folder: Path, watched: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """02 after both, whose workers are gone."""
    return story("02_submit_jobs", folder)


def experiment(name: str, folder: Path) -> Experiment:
    return Experiment(name, connect(folder / ".lrt" / "submitter.env"))


def test_failures_end_as_they_should(failures: nbformat.NotebookNode, folder: Path) -> None:
    """By the bucket: what could not run has failed once, what blew up three times, and all others are done."""
    status = experiment("failing", folder).status()
    told = {str(job).removeprefix("failing/"): state for job, state in status["state"].items()}
    mended = {"hot-mended": "done", "coarse-mended": "done"}
    assert told == {"good": "done", "long": "done", "hot": "failed", "coarse": "failed"} | mended
    assert status["failures"][["failing/hot", "failing/coarse"]].tolist() == [1, 3]
    letters = experiment("failing", folder).dead_letters()
    assert sorted(letters.index) == ["failing/coarse", "failing/hot"]
    assert letters["reason"].str.len().min() > 0


def test_failures_tell_why(failures: nbformat.NotebookNode) -> None:
    """The story of the job that blew up has the reason in words, and the traceback."""
    story = data(failures, 'exp.why("coarse")')
    assert "3 failures" in story["text/plain"]
    assert "Traceback" in story["text/html"]
    assert "cancelled" in data(failures, 'exp.cancel("long")')["text/plain"]


def test_failures_leave_nothing_behind(
    failures: nbformat.NotebookNode, folder: Path, until: Callable[..., object]
) -> None:
    """Nothing waits or runs any more, and what was set aside lies there."""
    exp = experiment("failing", folder)
    until(lambda: exp.depth().iloc[-1][["waiting", "in_flight", "dead"]].tolist() == [0, 0, 2])


def test_a_second_run_changes_nothing(failures: nbformat.NotebookNode, folder: Path) -> None:
    """Run All once more sends nothing, cancels nothing and retries nothing: eight attempts are those of one run."""
    assert len(experiment("failing", folder).attempts()) == 8
    assert "had ended as done" in data(failures, 'exp.cancel("long")', again=True)["text/plain"]
    assert "4 jobs: 4 known" in data(failures, "exp.submit(jobs)", again=True)["text/html"]


def test_watched_jobs_are_done(watched: nbformat.NotebookNode, folder: Path) -> None:
    """By the bucket, every job that was watched has its result."""
    exp = experiment("watching", folder)
    assert exp.status()["state"].tolist() == ["done"] * 5
    assert exp.results()["pressure"].notna().all()


def test_the_board_leaves_a_picture_and_a_table(watched: nbformat.NotebookNode) -> None:
    """Without a page, the cell of the board keeps how it was last, and that is later than at first."""
    left = data(watched, "exp.dashboard")
    assert base64.b64decode(left["image/png"]).startswith(b"\x89PNG")
    assert "A cell for each of 5 jobs" in left["text/plain"]
    assert "5 queued" not in left["text/plain"]
    assert "watching/T2.00-rho0.50" in left["text/html"]
    assert "<table" in left["text/html"]


def test_every_chart_is_there(watched: nbformat.NotebookNode) -> None:
    """Each of the charts has its sentence, about these jobs."""
    told = {
        "charts.overview": "5 jobs, all done",
        "charts.forecast": "100 % done",
        "charts.progress": "all finished",
        "charts.interruptions": "Interruptions by machine",
        "charts.goodput": "goodput",
    }
    for chart, words in told.items():
        assert words in data(watched, chart)["text/plain"]


def test_submitted_jobs_wait(submitted: nbformat.NotebookNode, folder: Path) -> None:
    """Eight jobs and one with a mended parameter wait in the queue, each once, whatever ran before."""
    exp = experiment("submitting", folder)
    assert exp.status()["state"].tolist() == ["queued"] * 9
    assert exp.depth()["waiting"].iloc[-1] == 9


def test_submitting_tells_every_fault_and_difference(submitted: nbformat.NotebookNode) -> None:
    """The refused table named all its faults, and the changed row asked."""
    faults = data(submitted, "except BadTable")["text/html"]
    assert faults.count("<tr") == 1 + 3
    assert "T2.00-rho0.30 is also the job of row 2" in faults
    assert "temperature" in data(submitted, "action == 'ask'")["text/plain"]


def test_submitting_twice_sends_nothing(submitted: nbformat.NotebookNode) -> None:
    """The receipt says what was sent, and when all of it runs again that every job is known."""
    assert "8 jobs: 8 sent" in data(submitted, "exp.submit(jobs, replicas")["text/html"]
    assert "8 jobs: 8 known" in data(submitted, "exp.submit(jobs, replicas", again=True)["text/html"]
    assert "9 jobs: 9 known" in data(submitted, "pd.concat", again=True)["text/html"]


@pytest.mark.parametrize("name", ["failures", "watched", "submitted"])
def test_nothing_warns_and_no_key_shows(request: pytest.FixtureRequest, folder: Path, name: str) -> None:
    """No output is on the error stream, and no secret of the env files is in any output."""
    executed = request.getfixturevalue(name)
    assert complaints(executed) == []
    assert shown_secrets(executed, folder / ".lrt") == []
