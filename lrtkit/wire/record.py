"""The job record: the truth about a job, and every change that it can take (contract 3).

A record is a value; each change returns a new one. The workload's state lies at the top level of
the JSON, as in the guide, and all that the kit adds under ``_lrt``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from lrtkit.wire import seal, shape, strict
from lrtkit.wire.errors import BadInput, DamagedFile
from lrtkit.wire.keys import ENVELOPE
from lrtkit.wire.shape import Count, Step, Time

VERSION = 1
KEPT_ATTEMPTS = 50


class State(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether only a redrive leads out of it."""
        return self in {State.DONE, State.FAILED, State.CANCELLED}


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """What ended an attempt before its result; all but the last two are interruptions."""

    NODE_GONE = "node gone"
    STOPPED = "sigterm"
    HANDOVER = "hand-over"
    WORKLOAD = "workload"
    FAILURE = "failure"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Holder:
    """Who makes an attempt: the worker process and the machine that it runs on."""

    worker: str
    machine: str


@dataclass(frozen=True)
class StoredFile:
    """A file in the bucket, named by its content."""

    sha256: str
    size: Count


@dataclass(frozen=True)
class Saved:
    """A checkpoint in the bucket. A state too large for the record lies in ``state_file``."""

    state: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    saved_at: Time | None = None
    state_file: StoredFile | None = None

    @property
    def step(self) -> float | None:
        """How far the job has come, where its state says so."""
        step = self.state.get("step")
        return step if shape.is_step(step) else None


@dataclass(frozen=True)
class Attempt:
    """One worker's try at the job; times in ISO 8601, ``outcome`` None while it runs.

    ``saves`` counts checkpoints that held something new, ``saved_at`` is when the last one was saved.
    """

    generation: Count
    worker: str
    machine: str
    started_at: Time
    ended_at: Time | None = None
    first_step: Step | None = None
    last_step: Step | None = None
    saves: Count = 0
    outcome: str | None = None
    cause: str | None = None
    first_saved_at: Time | None = None
    first_saved_step: Step | None = None
    saved_at: Time | None = None


@dataclass(frozen=True)
class Counts:
    """How often things happened; ``silent`` counts attempts in a row that nobody ended and that made no progress."""

    attempts: Count = 0
    interruptions: Count = 0
    failures: Count = 0
    silent: Count = 0


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed; ``output`` holds the last lines that the workload printed."""

    type: str
    message: str
    traceback: str = ""
    output: str = ""


@dataclass(frozen=True)
class Record:
    """A job record. ``checkpoint`` is None until one is saved, ``previous`` is the one before it."""

    state: State
    fingerprint: str | None = None
    steps: Count | None = None
    generation: Count = 0
    checkpoint: Saved | None = None
    previous: Saved | None = None
    attempts: tuple[Attempt, ...] = ()
    counts: Counts = Counts()
    interruptions: Mapping[str, Count] = field(default_factory=dict)
    error: Failure | None = None
    artifacts: Mapping[str, StoredFile] = field(default_factory=dict)
    result: Any = None
    result_file: StoredFile | None = None
    cancel_requested_at: Time | None = None
    updated_at: Time | None = None
    purged_at: Time | None = None  # of a purged job such a record stays
    former: tuple[str, ...] = ()  # fingerprints of the purged jobs that had the id, whose messages are let go

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt that has not said how it ended."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.outcome is None else None

    @property
    def silent_streak(self) -> int:
        """How many attempts in a row nobody ended but themselves, without progress; an open one counts as ended."""
        attempt = self.open_attempt
        if attempt is None:
            return self.counts.silent
        return 0 if attempt.saves else self.counts.silent + 1

    def claimed(self, holder: Holder, *, fingerprint: str, steps: int | None, now: str) -> Record:
        """Return the record as the next generation holds it; an attempt left open ended without a trace."""
        before = self._traceless() if self.open_attempt else self
        step = before.checkpoint.step if before.checkpoint else None
        generation = before.generation + 1
        attempt = Attempt(generation, holder.worker, holder.machine, now, first_step=step, last_step=step)
        return replace(
            before,
            state=State.RUNNING,
            fingerprint=fingerprint,
            steps=steps,
            generation=generation,
            attempts=(*before.attempts, attempt)[-KEPT_ATTEMPTS:],
            counts=replace(before.counts, attempts=before.counts.attempts + 1),
            updated_at=now,
        )

    def saved(self, checkpoint: Saved, *, now: str) -> Record:
        """Return the record with a newer checkpoint, the one before as ``previous``; the same again is no progress."""
        before = self.checkpoint
        is_new = before is None or replace(checkpoint, saved_at=before.saved_at) != before
        attempt = self.attempts[-1]
        attempt = replace(attempt, last_step=checkpoint.step, saves=attempt.saves + is_new, saved_at=now)
        if is_new and attempt.saves == 1:
            attempt = replace(attempt, first_saved_at=now, first_saved_step=checkpoint.step)
        counts = replace(self.counts, silent=0 if attempt.saves else self.counts.silent)
        previous = before if is_new else self.previous
        kept = replace(self, checkpoint=checkpoint, previous=previous, counts=counts, updated_at=now)
        return replace(kept, attempts=(*self.attempts[:-1], attempt))

    def interrupted(self, cause: Cause, *, now: str) -> Record:
        """Return the record as the next worker finds it after an interruption; one of its own making may be silent."""
        silent = self.silent_streak if cause is Cause.WORKLOAD else 0
        return self._ended(Outcome.INTERRUPTED, State.WAITING, cause, now=now, silent=silent)

    def failed(self, failure: Failure, *, final: bool, now: str) -> Record:
        """Return the record after a failure; ``final`` when no further attempt is due."""
        state = State.FAILED if final else State.WAITING
        ended = self._ended(Outcome.FAILED, state, Cause.FAILURE, now=now, silent=0)
        return replace(ended, error=failure, counts=replace(ended.counts, failures=ended.counts.failures + 1))

    def done(
        self, result: Any, artifacts: Mapping[str, StoredFile], *, now: str, result_file: StoredFile | None = None
    ) -> Record:
        """Return the record with the result: the commit. A result too large for it lies in ``result_file``."""
        ended = self._ended(Outcome.DONE, State.DONE, None, now=now, silent=0)
        return replace(ended, result=result, result_file=result_file, artifacts=dict(artifacts))

    def cancelled(self, *, now: str) -> Record:
        """Return the record of a job that nobody will run any more."""
        if self.open_attempt:
            return self._ended(Outcome.CANCELLED, State.CANCELLED, Cause.CANCELLED, now=now, silent=0)
        return replace(self, state=State.CANCELLED, updated_at=now)

    def cancel_requested(self, *, now: str) -> Record:
        """Return the record with the wish, which the holder meets, that the job end."""
        return replace(self, cancel_requested_at=now)

    def reopened(self, *, now: str) -> Record:
        """Return the record of a failed or cancelled job that gets another chance, with a fresh budget."""
        counts = replace(self.counts, failures=0, silent=0)
        return replace(self, state=State.WAITING, counts=counts, cancel_requested_at=None, updated_at=now)

    def to_bytes(self) -> bytes:
        """Return the JSON that the bucket keeps."""
        envelope = {"version": VERSION, **asdict(self)}
        checkpoint = envelope.pop("checkpoint") or {"state": {}, "files": {}, "saved_at": None, "state_file": None}
        state = checkpoint.pop("state")
        if ENVELOPE in state:
            raise BadInput(f"a checkpoint's state must not have a key {ENVELOPE!r}")
        envelope |= {**checkpoint, "has_checkpoint": self.checkpoint is not None}
        return seal.sealed(json.dumps({**state, ENVELOPE: envelope}, separators=(",", ":"), allow_nan=False).encode())

    @classmethod
    def from_bytes(cls, body: bytes) -> Record:
        """Return the record of a bucket's JSON, the guide's included; raise DamagedFile where it is neither."""
        try:
            seal.check(body)
            return _read(strict.loads(body))
        except ValueError as error:
            advice = "Try: another job_id, or delete its checkpoint.json and retry the job"
            raise DamagedFile(f"the record is not readable: {error}. {advice}") from error

    @property
    def is_guides(self) -> bool:
        """Whether the guide's worker wrote it, which keeps no envelope and so no time of writing."""
        return self.updated_at is None

    def _traceless(self) -> Record:
        ended_at = self.updated_at or self.attempts[-1].started_at
        return self._ended(Outcome.INTERRUPTED, State.WAITING, Cause.NODE_GONE, now=ended_at, silent=self.silent_streak)

    def _ended(self, outcome: Outcome, state: State, cause: Cause | None, *, now: str, silent: int) -> Record:
        attempt = replace(self.attempts[-1], ended_at=now, outcome=outcome, cause=cause)
        interruptions = dict(self.interruptions)
        if outcome is Outcome.INTERRUPTED and cause:
            interruptions[cause] = interruptions.get(cause, 0) + 1
        counts = replace(self.counts, interruptions=sum(interruptions.values()), silent=silent)
        ended = replace(self, state=state, interruptions=interruptions, counts=counts, updated_at=now)
        return replace(ended, attempts=(*self.attempts[:-1], attempt))


def _read(state: Any) -> Record:
    """Return the record of a JSON value, without an envelope one of the guide's; raise ValueError where it is none."""
    if not isinstance(state, dict):
        raise ValueError(f"it is {strict.name_of(state)} and must be an object")  # noqa: TRY004  (as all that is wrong)
    if ENVELOPE not in state:
        return Record(State.WAITING, checkpoint=Saved(state))
    envelope: dict[str, Any] = shape.read(dict, state.pop(ENVELOPE), ENVELOPE)
    if envelope.get("version") != VERSION:
        told = f"it is of version {strict.shown(envelope.get('version'))}, and this kit reads version {VERSION}"
        raise DamagedFile(f"the record is not readable: {told}. Try: the lrtkit that wrote it")
    has_checkpoint = shape.read(bool, envelope.get("has_checkpoint"), f"{ENVELOPE}.has_checkpoint")
    checkpoint = {**envelope, "state": state} if has_checkpoint else None
    return shape.read(Record, {**envelope, "checkpoint": checkpoint}, ENVELOPE)
