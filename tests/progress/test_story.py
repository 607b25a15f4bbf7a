"""A job's story, told from its record."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import reduce

import pytest

from lrtkit import printing
from lrtkit.connection import Cloud
from lrtkit.experiment import Experiment
from lrtkit.printing import Form
from lrtkit.progress.spending import rate_per_s
from lrtkit.progress.story import duration, tell
from lrtkit.progress.view import View
from lrtkit.wire import keys
from lrtkit.wire.clock import iso, seconds_of
from lrtkit.wire.errors import BadInput
from lrtkit.wire.job import Job
from lrtkit.wire.record import Cause, Failure, Holder, Record, Saved, State

START = seconds_of("2026-11-24T10:00:00.000Z")
FAILURE = Failure("ValueError", "the box is too small. Try: a larger one.", "Traceback (most recent call last): <b>")


def at(minute: float) -> str:
    return iso(START + 60 * minute)


def claim(record: Record, minute: float) -> Record:
    return record.claimed(Holder("w", "m"), fingerprint="f", steps=100, now=at(minute))


def save(record: Record, step: int, minute: float) -> Record:
    return record.saved(Saved({"step": step}, saved_at=at(minute)), now=at(minute))


def view(record: Record | None, minute: float = 0, **facts: object) -> View:
    made = View("exp/a", {"job_id": "exp/a", "steps": 100}, "f", sent=True, record=record, submitted_at=START)
    return replace(made, read_at=START + 60 * minute, **facts)  # type: ignore[arg-type]


NEW = Record(State.WAITING)
VANISHED = save(save(claim(NEW, 10), 10, 22), 30, 42)
"""Claimed after 10 minutes; 2 minutes of start and 10 steps, then 20 steps in 20 minutes, then not seen again."""

HANDED_OVER = save(claim(VANISHED, 50), 60, 80).interrupted(Cause.HANDOVER, now=at(80))
FAILED = save(claim(HANDED_OVER, 81), 70, 91).failed(FAILURE, final=False, now=at(94))
DONE = claim(FAILED, 100).done(1, {}, now=at(130))


def test_a_long_story() -> None:
    """Receives are counted by what became of them, and the time is told where it went."""
    story = tell(view(DONE, 200))
    assert repr(story) == story.text
    assert story.text.splitlines() == [
        "exp/a is done, at step 100 of 100.",
        "It was received 4 times: 1 node vanished, 1 hand-over, 1 failure.",
        "The last failure was ValueError: the box is too small. Try: a larger one; see its traceback.",
        "Of 2.2 h: 100.0 min useful (77%), 3.0 min redone (2%), 25.0 min waiting (19%), 2.0 min starting (2%).",
    ]
    assert story.traceback == FAILURE.traceback


@pytest.mark.parametrize(
    ("traceback", "output", "see", "evidence"),
    [
        ("Traceback: E", "step 1\nTraceback: E", "; see its traceback and output", ["step 1\nTraceback: E"]),
        ("Traceback: E", "step 1\n", "; see its traceback and output", ["Traceback: E", "step 1"]),
        ("", "awk: syntax error\n", "; see its output", ["awk: syntax error"]),
        ("", "", "", []),
    ],
)
def test_what_a_failure_leaves_to_be_read(traceback: str, output: str, see: str, evidence: list[str]) -> None:
    """A program that is no Python is told by what it printed last, and nothing is shown twice."""
    error = Failure("E", "m", traceback, output)
    story = tell(view(claim(NEW, 10).failed(error, final=True, now=at(20)), 30))
    assert f"The last failure was E: m{see}." in story.text
    assert story.evidence == evidence
    assert story._repr_html_().count("<pre>") == len(evidence)
    assert printing.story(story, Form.TABLE) == "\n".join([story.text, *(f"\n{each}" for each in evidence), ""])
    assert json.loads(printing.story(story, Form.JSON))["output"] == (output or None)


def test_the_seconds_of_each_attempt() -> None:
    """A row an attempt: what was kept, what was lost, what came before, and the start where saves tell it."""
    frame = tell(view(DONE, 200)).frame
    assert frame["outcome"].tolist() == ["interrupted", "interrupted", "failed", "done"]
    assert (frame["useful_s"] / 60).tolist() == [30, 30, 10, 30]
    assert (frame["redone_s"] / 60).tolist() == [0, 0, 3, 0]
    assert (frame["waiting_s"] / 60).tolist() == [10, 8, 1, 6]
    assert (frame["starting_s"] / 60).round(6).fillna(-1).tolist() == [2, -1, -1, -1]


def test_an_attempt_that_never_saved_is_redone() -> None:
    """All of its time is lost, and none of it is counted as a start."""
    frame = tell(view(claim(NEW, 1).failed(FAILURE, final=False, now=at(5)), 9)).frame
    assert frame[["useful_s", "redone_s", "waiting_s"]].iloc[0].tolist() == [0, 240, 60]


def test_a_running_attempt_counts_until_now() -> None:
    """What it does may still be kept."""
    frame = tell(view(VANISHED, 60)).frame
    assert (frame[["useful_s", "redone_s", "starting_s"]].iloc[0] / 60).round(6).tolist() == [48, 0, 2]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (view(None), "exp/a is queued.\nNo worker has taken it yet. Try: see whether one runs, and what it logs."),
        (view(None, sent=False), "exp/a is unsent.\nIts submission is under way or broke off."),
        (view(None, 30_000, sent_at=START), "exp/a is expired.\nThe queue has dropped its message after 14 days."),
        (view(None, damage="the record is not readable"), "exp/a is failed.\nThe record is not readable."),
        (view(NEW.cancelled(now=at(1))), "exp/a is cancelled.\nNo worker had taken it."),
        (view(None, result_etag="e"), "exp/a is done, at step 100 of 100.\nA worker that keeps no record has left"),
        (view(VANISHED, 30_000, written_at=START), "at step 30 of 100.\nIt was received once.\nThe queue has dropped"),
        (
            view(claim(NEW, 1).cancel_requested(now=at(2)), 3),
            "once.\nIt was asked to stop at 2026-11-24T10:02:00.000Z.",
        ),
    ],
)
def test_short_stories(told: View, sentence: str) -> None:
    """A job without attempts, or one that somebody has to look after, says what is the matter."""
    assert sentence in tell(told).text


def test_many_attempts() -> None:
    """The counts go on where the details are no longer kept."""
    record = reduce(claim, range(60), NEW)
    story = tell(view(record, 61))
    assert "received 60 times: 59 nodes vanished." in story.text
    assert story.text.endswith("Of its attempts the last 50 are known in detail.")
    assert len(story.frame) == 50


def test_html_is_escaped() -> None:
    """A notebook shows the sentences and the traceback, and runs nothing of them."""
    html = tell(view(FAILED, 95))._repr_html_()
    assert "<br>It was received 3 times" in html
    assert "<pre>Traceback (most recent call last): &lt;b&gt;</pre>" in html


def test_rates() -> None:
    """Steps per second of what is saved; none where nothing is."""
    assert rate_per_s(VANISHED.attempts[0], 100) == pytest.approx(30 / 32 / 60)
    assert rate_per_s(DONE.attempts[-1], 100) == pytest.approx(1 / 60)
    assert rate_per_s(claim(NEW, 1).attempts[0], 100) is None


@pytest.mark.parametrize(("seconds", "told"), [(5, "5 s"), (600, "10.0 min"), (9000, "2.5 h"), (200_000, "2.3 days")])
def test_durations(seconds: float, told: str) -> None:
    """A time is told in the unit that it is thought of in."""
    assert duration(seconds) == told


def test_why_of_an_experiment(cloud: Cloud) -> None:
    """The face finds the job by its id or name, and says so where there is none."""
    experiment = Experiment("exp", cloud)
    experiment.submit([{"name": "a", "steps": 100}])
    made = claim(NEW, 0)
    assert (
        experiment.why("a").text
        == "exp/a is queued.\nNo worker has taken it yet. Try: see whether one runs, and what it logs."
    )
    record = replace(made, fingerprint=Job({"steps": 100}).fingerprint)
    cloud.store.put(keys.record("exp/a"), record.to_bytes())
    assert "received once" in experiment.why("exp/a").text
    with pytest.raises(BadInput, match="experiment exp has no job exp/b"):
        experiment.why("b")
