"""The redrive of chosen jobs: another chance, with a fresh budget, from the last checkpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from lrtkit.control import letters, records
from lrtkit.control.choice import shown
from lrtkit.control.letters import DeadLetters, Letter
from lrtkit.progress import JobState, View
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import BadInput
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.record import Record, State
from lrtkit.wire.s3 import Store
from lrtkit.wire.sqs import Outgoing


class Redrive(DeadLetters, Protocol):
    """What a redrive needs of the queue pair."""

    def send(self, message: Outgoing) -> None:
        """Send one message."""


@dataclass(frozen=True)
class Case:
    """A job to be retried: what to send, and the dead letters that the sending makes needless."""

    view: View
    parcel: Parcel | None
    letters: tuple[Letter, ...]


def known(views: Sequence[View], found: Sequence[Letter]) -> list[View]:
    """Return the jobs, and beside them those of which nothing is left but a dead letter."""
    there = {view.job_id for view in views}
    lone = {letter.job_id: letter.parcel for letter in found if letter.job_id and letter.job_id not in there}
    return [*views, *(View(job_id, submitted=each.fingerprint) for job_id, each in lone.items() if each)]


def retry(queue: Redrive, store: Store, views: Sequence[View], found: Sequence[Letter]) -> pd.DataFrame:
    """Send jobs again, and return what happened to each; see ``Experiment.retry``.

    First the record is reopened, then the message sent, last the dead letter deleted: whatever comes
    between, the job is still in the one place or already in the other, and the next retry goes on.
    A message too many does no harm: it waits behind the first in the job's own group.
    """
    cases = {view.job_id: _case(view, found) for view in views}
    _refuse(cases)
    told = records.outcomes(views, lambda view: _retry(queue, store, cases[view.job_id]))
    sent = told.index[told["outcome"] == "sent again"]
    letters.delete(queue, {letter.message_id for job_id in sent for letter in cases[job_id].letters})
    return told


def _case(view: View, found: Sequence[Letter]) -> Case:
    """Choose what to send: what the record was made of, by the submission or else by a dead letter."""
    parcels = [view.parcel, *(letter.parcel for letter in found if letter.job_id == view.job_id)]
    chosen = next((each for each in parcels if each and view.fingerprint in {None, each.fingerprint}), None)
    return Case(view, chosen, tuple(letter for letter in found if chosen and _is_of(letter, chosen)))


def _is_of(letter: Letter, parcel: Parcel) -> bool:
    its = letter.parcel
    return its is not None and (its.job_id, its.fingerprint) == (parcel.job_id, parcel.fingerprint)


def _refuse(cases: Mapping[str, Case]) -> None:
    done = [job_id for job_id, case in cases.items() if case.view.state is JobState.DONE]
    if done:
        raise BadInput(f"{shown(done)}: done, and a result is final; nothing was done. Try: a job_id of its own")
    damaged = [job_id for job_id, case in cases.items() if case.view.damage]
    if damaged:
        raise BadInput(f"{shown(damaged)}: the record is not readable; nothing was done. Try: another job_id")
    unknown = [job_id for job_id, case in cases.items() if case.parcel is None]
    if unknown:
        raise BadInput(f"{shown(unknown)}: neither submission nor dead letter says what it was. Try: submit its row")


def _retry(queue: Redrive, store: Store, case: Case) -> tuple[str, str]:
    now = iso(time.time())
    view, parcel = case.view, case.parcel
    record = records.change(store, view.job_id, lambda record: _reopened(record, now))
    if record and record.state is State.DONE:
        return "had ended as done", JobState.DONE
    busy = _busy(record, view)
    if busy and not case.letters:
        return f"is {busy} already", busy
    if parcel:
        queue.send(parcel.outgoing("retry", record.updated_at if record else now))
    return "sent again", JobState.INTERRUPTED if record else JobState.QUEUED


def _reopened(record: Record | None, now: str) -> Record | None:
    ended = record and record.state in {State.FAILED, State.CANCELLED}
    return record.reopened(now=now) if record and ended else None


def _busy(record: Record | None, view: View) -> JobState | None:
    """Return how a job is under way that needs no second message; one that waits may have lost its first."""
    if record and record.state is State.RUNNING and view.state is not JobState.EXPIRED:
        return JobState.RUNNING
    return JobState.QUEUED if record is None and view.state is JobState.QUEUED else None
