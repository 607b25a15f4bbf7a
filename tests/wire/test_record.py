"""The record's transitions, pure, and its way through the bucket's JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.wire.errors import BadInput, DamagedFile
from lrtkit.wire.record import (
    KEPT_ATTEMPTS,
    Cause,
    Counts,
    Failure,
    Holder,
    Record,
    Saved,
    State,
    StoredFile,
)

T0, T1, T2, T3, T9 = (f"2026-11-01T00:00:0{second}.000Z" for second in (0, 1, 2, 3, 9))
HOLDER = Holder("worker-1", "machine-a")
OTHER = Holder("worker-2", "machine-b")
FAILURE = Failure("ValueError", "no", "Traceback …", "last words")
FILE = StoredFile("f" * 64, 3)
NEW = Record(State.WAITING)


def claim(record: Record, holder: Holder = HOLDER, now: str = T0) -> Record:
    return record.claimed(holder, fingerprint="print", steps=10, now=now)


def save(record: Record, step: int, now: str = T1) -> Record:
    return record.saved(Saved({"step": step}, saved_at=now), now=now)


def test_a_claim_is_the_next_generation() -> None:
    """A claim opens an attempt, and raises the generation that fences older holders."""
    record = claim(NEW)
    assert (record.state, record.generation, record.counts.attempts) == (State.RUNNING, 1, 1)
    assert (record.fingerprint, record.steps, record.updated_at) == ("print", 10, T0)
    attempt = record.open_attempt
    assert attempt is not None
    assert (attempt.generation, attempt.worker, attempt.machine, attempt.started_at) == (
        1,
        "worker-1",
        "machine-a",
        T0,
    )


def test_a_claim_begins_where_the_checkpoint_is() -> None:
    """The new attempt knows the step that it starts from."""
    record = claim(save(claim(NEW), 4).interrupted(Cause.STOPPED, now=T2), OTHER)
    assert (record.attempts[-1].first_step, record.attempts[-1].last_step) == (4, 4)


def test_an_attempt_without_an_end_was_a_node_that_went() -> None:
    """The next claim closes it, as an interruption at the last time that it gave a sign."""
    record = claim(save(claim(NEW), 4, now=T1), OTHER, now=T9)
    first, second = record.attempts
    assert (first.outcome, first.cause, first.ended_at) == ("interrupted", "node gone", T1)
    assert (second.generation, second.started_at) == (2, T9)
    assert record.counts == Counts(attempts=2, interruptions=1)
    assert record.interruptions == {"node gone": 1}


def test_a_save_keeps_the_one_before() -> None:
    """Two checkpoints are there, so that a damaged one is no loss; the attempt counts its saves."""
    record = save(save(claim(NEW), 3), 5, now=T2)
    assert record.checkpoint is not None
    assert record.previous is not None
    assert (record.checkpoint.step, record.previous.step) == (5, 3)
    assert (record.attempts[-1].last_step, record.attempts[-1].saves, record.updated_at) == (5, 2, T2)


@pytest.mark.parametrize("cause", [Cause.STOPPED, Cause.HANDOVER, Cause.WORKLOAD])
def test_an_interruption_lets_the_job_wait(cause: Cause) -> None:
    """It is counted by its cause, and is no failure."""
    record = save(claim(NEW), 3).interrupted(cause, now=T2)
    assert (record.state, record.open_attempt) == (State.WAITING, None)
    assert record.interruptions == {cause: 1}
    assert (record.counts.interruptions, record.counts.failures) == (1, 0)


def test_a_failure_is_counted_and_kept() -> None:
    """The error stays with the record; only the last failure that is allowed ends the job."""
    once = claim(NEW).failed(FAILURE, final=False, now=T1)
    twice = claim(once).failed(FAILURE, final=True, now=T2)
    assert (once.state, once.counts.failures, once.error) == (State.WAITING, 1, FAILURE)
    assert (twice.state, twice.counts.failures, twice.counts.interruptions) == (State.FAILED, 2, 0)
    assert [attempt.outcome for attempt in twice.attempts] == ["failed", "failed"]


def test_done_has_the_result() -> None:
    """The commit closes the attempt and holds the result, small or in a file, and the artifacts."""
    small = save(claim(NEW), 9).done({"energy": -1.5}, {"plot.png": FILE}, now=T2)
    large = claim(NEW).done(None, {}, now=T2, result_file=FILE)
    assert (small.state, small.result, small.artifacts) == (State.DONE, {"energy": -1.5}, {"plot.png": FILE})
    assert (small.attempts[-1].outcome, small.attempts[-1].cause) == ("done", None)
    assert (large.result, large.result_file) == (None, FILE)


@pytest.mark.parametrize("before", [NEW, claim(NEW), claim(NEW).interrupted(Cause.STOPPED, now=T1)])
def test_cancelled_from_any_state(before: Record) -> None:
    """A job that waits has no attempt to close; one that runs has."""
    record = before.cancel_requested(now=T2).cancelled(now=T3)
    assert (record.state, record.open_attempt, record.cancel_requested_at) == (State.CANCELLED, None, T2)
    assert len(record.attempts) == len(before.attempts)


def test_reopened_has_a_fresh_budget() -> None:
    """Failures are forgiven, the history stays."""
    record = claim(NEW).failed(FAILURE, final=True, now=T1).cancel_requested(now=T1).reopened(now=T2)
    assert (record.state, record.counts.failures, record.cancel_requested_at) == (State.WAITING, 0, None)
    assert (record.counts.attempts, len(record.attempts)) == (1, 1)


def test_silent_attempts_are_counted_in_a_row() -> None:
    """Attempts that vanish before their first save make a streak, which any sign of life ends."""
    record = NEW
    for silent in range(4):
        assert record.silent_streak == silent
        record = claim(record)
    assert record.silent_streak == 4
    assert save(record, 1).silent_streak == 0
    assert claim(save(record, 1)).silent_streak == 1
    assert record.interrupted(Cause.STOPPED, now=T1).silent_streak == 0


def test_a_workload_that_stops_itself_without_progress_is_silent_too() -> None:
    """Exit code 75 again and again, with no checkpoint or with that of the same step, does not go on for ever."""
    record = save(claim(NEW), 3).interrupted(Cause.WORKLOAD, now="t1")
    assert record.silent_streak == 0
    for silent in range(3):
        assert record.silent_streak == silent
        attempt = claim(record)
        record = (save(attempt, 3) if silent else attempt).interrupted(Cause.WORKLOAD, now="t2")
    assert save(claim(record), 4).interrupted(Cause.WORKLOAD, now="t3").silent_streak == 0


def test_attempts_are_bounded_and_counts_are_not() -> None:
    """A job of many interruptions keeps a record of bounded size, and its totals."""
    record = NEW
    for _ in range(KEPT_ATTEMPTS + 20):
        record = claim(record)
    assert len(record.attempts) == KEPT_ATTEMPTS
    assert (record.attempts[0].generation, record.counts.attempts) == (21, KEPT_ATTEMPTS + 20)
    assert record.interruptions == {"node gone": KEPT_ATTEMPTS + 19}


@pytest.mark.parametrize(
    ("state", "final"), [("running", False), ("waiting", False), ("done", True), ("failed", True), ("cancelled", True)]
)
def test_final_states(state: str, final: bool) -> None:
    """Done, failed and cancelled are the ends."""
    assert State(state).final is final


def test_the_guide_can_read_it() -> None:
    """The workload's state lies at the top of the JSON, as the guide's worker has it."""
    body = json.loads(save(claim(NEW), 3).to_bytes())
    assert body.pop("_lrt")["version"] == 1
    assert body == {"step": 3}


def test_the_guides_own() -> None:
    """A checkpoint without an envelope is one to resume from, of a job that waits."""
    record = Record.from_bytes(b'{"step": 3, "sum": 6}')
    assert record.is_guides
    assert (record.state, record.checkpoint) == (State.WAITING, Saved({"step": 3, "sum": 6}))
    assert not claim(record).is_guides


def test_a_state_may_not_use_the_envelopes_name() -> None:
    """A workload cannot overwrite what the kit keeps."""
    with pytest.raises(BadInput, match="must not have a key '_lrt'"):
        claim(NEW).saved(Saved({"_lrt": 1}), now=T1).to_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"_lrt": {}}',
        b'{"_lrt": 5}',
        b"[" * 100_000,
        b"\xff",
        NEW.to_bytes().replace(b'"version":1', b'"version":2'),
        NEW.to_bytes().replace(b'"waiting"', b'"asleep"'),
        claim(NEW).to_bytes().replace(b'"worker"', b'"wrker"'),
    ],
)
def test_damage(body: bytes) -> None:
    """What is no record is never taken for "no checkpoint"."""
    with pytest.raises(DamagedFile, match="the record is not readable"):
        Record.from_bytes(body)


@pytest.mark.parametrize(
    ("state", "step"), [({"step": 3}, 3), ({"step": 0.5}, 0.5), ({"step": True}, None), ({}, None)]
)
def test_step_of_a_checkpoint(state: dict[str, Any], step: float | None) -> None:
    """Only a number is a step."""
    assert Saved(state).step == step


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
STATES = st.dictionaries(st.text(max_size=5).filter(lambda key: key != "_lrt"), JSON, max_size=3)
STORED = st.builds(StoredFile, st.text(max_size=5), st.integers(0, 2**63 - 1))
FILES = st.dictionaries(st.text(max_size=5), STORED, max_size=2)
SAVES = st.builds(Saved, STATES, FILES, st.none() | st.just(T2), st.none() | st.just(FILE))
FAILURES = st.builds(Failure, *[st.text(max_size=5)] * 4)
INTERRUPTIONS = st.sampled_from([Cause.STOPPED, Cause.HANDOVER, Cause.WORKLOAD])

Change = Callable[[Record], Record]
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(lambda holder: lambda record: claim(record, holder), st.sampled_from([HOLDER, OTHER])),
    st.builds(lambda saved: lambda record: record.saved(saved, now=T1) if record.open_attempt else record, SAVES),
    st.builds(
        lambda cause: lambda record: record.interrupted(cause, now=T1) if record.open_attempt else record,
        INTERRUPTIONS,
    ),
    st.builds(
        lambda failure, final: (
            lambda record: record.failed(failure, final=final, now=T1) if record.open_attempt else record
        ),
        FAILURES,
        st.booleans(),
    ),
    st.builds(
        lambda value, files: lambda record: record.done(value, files, now=T1) if record.open_attempt else record,
        JSON,
        FILES,
    ),
    st.just(lambda record: record.cancel_requested(now=T1).cancelled(now=T1)),
    st.just(lambda record: record.reopened(now=T1)),
)


@given(st.lists(CHANGES, max_size=12))
def test_any_history_comes_back(changes: list[Change]) -> None:
    """Whatever happens to a job, its record is read as it was written, and its counts add up."""
    record = NEW
    for change in changes:
        record = change(record)
        assert Record.from_bytes(record.to_bytes()) == replace(record, attempts=tuple(record.attempts))
        assert record.counts.interruptions == sum(record.interruptions.values())
        assert record.counts.attempts == record.generation
        assert sum(attempt.outcome is None for attempt in record.attempts) == (record.open_attempt is not None)


@given(st.integers(0, 2000), st.integers(0, 7))
def test_a_flipped_bit_is_seen(place: int, bit: int) -> None:
    """Wherever a bit flips, the record is refused or reads as it was written: no other number is ever believed."""
    record = save(claim(NEW), 4711)
    body = bytearray(record.to_bytes())
    body[place % len(body)] ^= 1 << bit
    try:
        assert Record.from_bytes(bytes(body)) == record
    except DamagedFile:
        return


def test_a_record_that_somebody_wrote_anew_is_read() -> None:
    """A researcher may mend a record by hand; what has no seal is taken as it is."""
    state = json.loads(save(claim(NEW), 4).to_bytes())
    state["step"] = 2
    record = Record.from_bytes(json.dumps(state, indent=2).encode())
    assert record.checkpoint
    assert record.checkpoint.step == 2
