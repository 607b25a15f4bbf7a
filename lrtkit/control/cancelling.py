"""Jobs that nobody wants any more: ended at once where they wait, and asked to stop where they run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd

from lrtkit.control import records
from lrtkit.progress import JobState, View
from lrtkit.wire.clock import iso
from lrtkit.wire.record import Record, State
from lrtkit.wire.s3 import Store


def cancel(store: Store, views: Sequence[View]) -> pd.DataFrame:
    """Cancel jobs, and return what happened to each; see ``Experiment.cancel``."""
    return records.outcomes(views, partial(_cancel, store))


def _cancel(store: Store, view: View) -> tuple[str, str]:
    if view.damage:
        return "had ended as failed", JobState.FAILED  # as no worker can read it either
    if view.state is JobState.DONE:
        return "had ended as done", JobState.DONE
    ended: list[State] = []

    def wish(record: Record | None) -> Record | None:
        ended[:] = [record.state] if record and record.state.final else []
        return None if ended else _unwanted(record, view)

    record = records.change(store, view.job_id, wish)
    if ended:
        return f"had ended as {ended[0]}", ended[0]
    if record is None or record.state is State.RUNNING:
        return "asked to stop", JobState.RUNNING
    return "cancelled", JobState.CANCELLED


def _unwanted(found: Record | None, view: View) -> Record | None:
    """Return the record of a job that is not wanted any more; None where its holder knows already.

    A job that no worker has had gets a record, so that whoever takes its message lets it go unrun.
    A worker that holds the job is asked, so that it ends in order; nobody holds one that has expired.
    """
    now = iso(time.time())
    if found and found.state is State.RUNNING and view.state is not JobState.EXPIRED:
        return None if found.cancel_requested_at else found.cancel_requested(now=now)
    record = found or Record(State.WAITING)
    if record.fingerprint is None:
        record = replace(record, fingerprint=view.submitted, steps=view.steps)
    return record.cancel_requested(now=now).cancelled(now=now)
