"""What the bucket says about one job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from lrtkit.wire import parcel
from lrtkit.wire.job import Job
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.record import Record, State
from lrtkit.wire.sqs import RETENTION_S


class JobState(StrEnum):
    """Where a job stands, as the user sees it."""

    UNSENT = "unsent"
    """Its submission is under way, or ended half-way and is to be repeated."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """Waits to be taken again, after an interruption or a failure."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    EXPIRED = "expired"
    """Neither sent nor moved for 14 days, after which the queue drops a message: nobody will take it any more."""

    @property
    def final(self) -> bool:
        """Whether only a redrive leads out of it."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


_OPEN = {JobState.QUEUED, JobState.RUNNING, JobState.INTERRUPTED}

_STATES = {
    State.RUNNING: JobState.RUNNING,
    State.WAITING: JobState.INTERRUPTED,
    State.DONE: JobState.DONE,
    State.FAILED: JobState.FAILED,
    State.CANCELLED: JobState.CANCELLED,
}


@dataclass(frozen=True)
class View:
    """A job as its submission, its record and its result show it, as far as each is there.

    ``submitted`` is the fingerprint of its submission, and ``damage`` why its record cannot be read.
    ``body`` is the hash of its whole body, where that lies in the bucket and ``fields`` are a part of it.
    ``result_etag`` is that of the result as the guide has it. Times are in seconds since 1970 by the
    bucket's clock, beside ``read_at``, when all this was looked up: ``submitted_at`` of the first
    submission, ``sent_at`` of the last one that the queue took, ``written_at`` of the record.
    """

    job_id: str
    fields: Mapping[str, Any] | None = None
    submitted: str | None = None
    body: str | None = None
    sent: bool = False
    record: Record | None = None
    damage: str | None = None
    written_at: float | None = None
    result_etag: str | None = None
    submitted_at: float | None = None
    sent_at: float | None = None
    read_at: float = 0.0

    @cached_property
    def state(self) -> JobState:
        """Where the job stands.

        A job of the guide's worker, which keeps no record of ours, runs from its first checkpoint to
        its result: that worker does not tell when it stops.
        """
        state = self._told
        return JobState.EXPIRED if state in _OPEN and self._is_past else state

    @property
    def _told(self) -> JobState:
        """Where the job stands by what is written, however old that is."""
        if self.damage:
            return JobState.FAILED  # as no worker can read it either
        if self.record and self._is_ours:
            return _STATES[self.record.state]
        if self.result_etag:
            return JobState.DONE
        if self.record and self.record.is_guides:
            return JobState.RUNNING
        return JobState.QUEUED if self.sent else JobState.UNSENT

    @property
    def _is_past(self) -> bool:
        """Whether no message of the job can be left. The queue cannot be asked, but only keeps what is young."""
        return self.last_sign is not None and self.read_at - self.last_sign > RETENTION_S

    @property
    def _is_ours(self) -> bool:
        """Whether the kit has had the job in hand; under the id of a purged one a record waits for its first worker."""
        record = self.record
        return (
            record is not None
            and not record.is_guides
            and (record.state is not State.WAITING or record.counts.attempts > 0)
        )

    @property
    def last_sign(self) -> float | None:
        """When the job was last seen to be sent or to move."""
        return max((sign for sign in (self.sent_at, self.written_at) if sign is not None), default=None)

    @property
    def accepted(self) -> bool:
        """Whether the queue or a worker surely had the job, and the message has not expired since."""
        had = self.sent or self._is_ours or self.result_etag or self.damage
        return self.state is not JobState.EXPIRED and bool(had)

    @property
    def fingerprint(self) -> str | None:
        """What the job computes, as its record says or else its submission."""
        return self.record.fingerprint if self.record and self.record.fingerprint else self.submitted

    @property
    def parcel(self) -> Parcel | None:
        """The job as a message carries it, as far as its submission is known."""
        if self.fields is None:
            return None
        if self.body and self.submitted:
            return parcel.claim_check(self.job_id, self.submitted, self.body)
        return parcel.whole(Job(self.fields))

    @property
    def steps(self) -> int | None:
        """How many steps the job has, where that is known."""
        if self.record and self.record.steps is not None:
            return self.record.steps
        return Job(self.fields).steps if self.fields else None

    @property
    def step(self) -> float | None:
        """How far the job has come."""
        if self.state is JobState.DONE and self.steps is not None:
            return self.steps
        return self.record.checkpoint.step if self.record and self.record.checkpoint else None
