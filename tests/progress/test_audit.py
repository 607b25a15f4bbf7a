"""The promises, checked on what the bucket holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lrtkit.progress.audit import BrokenPromise, audit
from lrtkit.progress.view import View
from lrtkit.wire.record import Attempt, Cause, Failure, Holder, Record, Saved, State

NOW = "2026-01-01T00:00:00.000Z"
HOLDER = Holder("worker", "machine")


def claimed(record: Record) -> Record:
    return record.claimed(HOLDER, fingerprint="f", steps=9, now=NOW)


def interrupted() -> Record:
    """A job that was saved at step 4 and interrupted."""
    saved = claimed(Record(State.WAITING)).saved(Saved({"step": 4}), now=NOW)
    return saved.interrupted(Cause.STOPPED, now=NOW)


def done() -> Record:
    """The same job, gone on and done."""
    return claimed(interrupted()).done(45, {}, now=NOW)


def view(record: Record | None, job_id: str = "x/a") -> View:
    return View(job_id, {"steps": 9}, "f", sent=True, record=record)


def test_a_sound_experiment_is_one_sentence():
    """Jobs, attempts and interruptions are counted, and the promise is said."""
    views = [view(done(), "x/a"), view(interrupted(), "x/b"), view(None, "x/c")]
    assert audit(views, {"x/a": 45}) == (
        "3 jobs, 3 attempts, 2 interruptions: 1 done, 1 interrupted, 1 queued; "
        "no job is lost, no result is doubled and no saved step was done twice."
    )


def test_one_of_a_kind_is_told_as_one() -> None:
    """A single job and a single interruption read as such."""
    assert audit([view(done())], {"x/a": 45}).startswith("1 job, 2 attempts, 1 interruption: 1 done;")


def twice_done() -> Record:
    first = replace(done().attempts[-1], generation=1)
    return replace(done(), attempts=(first, done().attempts[-1]))


def gone_back() -> Record:
    early = replace(done().attempts[-1], first_step=2)
    return replace(done(), attempts=(done().attempts[0], early))


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (twice_done(), "it is done, and 2 of its attempts say that they are done"),
        (replace(done(), state=State.WAITING), "it is waiting, and 1 of its attempts say that they are done"),
        (gone_back(), "its steps went back"),
        (replace(done(), attempts=(*done().attempts[:1], Attempt(5, "w", "m", NOW, outcome="done"))), "generations"),
        (replace(interrupted(), state=State.FAILED), "it has failed without a reason"),
    ],
)
def test_each_contradiction_is_named_with_its_job(record, problem):
    """A record that breaks a promise raises, and says which job it is and how."""
    with pytest.raises(BrokenPromise, match=f"x/a: .*{problem}"):
        audit([view(record)], {"x/a": 45})


def test_a_done_job_without_a_result_is_lost():
    """The record alone is not the result."""
    with pytest.raises(BrokenPromise, match="x/a: it is done, but its result is not there"):
        audit([view(done())], {})


def test_a_failure_with_a_reason_breaks_no_promise():
    """A failed job is no lost job, as long as it says why."""
    failed = claimed(Record(State.WAITING)).failed(Failure("E", "why"), final=True, now=NOW)
    assert "1 failed" in audit([view(failed)], {})


def test_many_broken_promises_are_counted():
    """The message stays readable: five jobs, and how many more."""
    views = [view(twice_done(), f"x/{number}") for number in range(8)]
    with pytest.raises(BrokenPromise, match="and 3 more"):
        audit(views, {each.job_id: 45 for each in views})
