"""How an experiment submits: a table is checked, compared with what is known, taken down on disk, and then sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from lrtkit import control, submissions
from lrtkit.connection import Cloud
from lrtkit.jobs import (
    Action,
    Difference,
    Known,
    Rules,
    Sender,
    Table,
    Work,
    check,
    compare,
    foresee,
    frames,
    read,
)
from lrtkit.progress import Progress, View, pace
from lrtkit.submissions import Draft
from lrtkit.wire import parcel

_log = logging.getLogger(__name__)

MOMENT_S = 1.0
"""What takes no longer is over before a bar would be worth showing."""


class Submitter:
    """Submits tables to one experiment."""

    def __init__(self, experiment: str, cloud: Cloud, progress: Progress) -> None:
        self._experiment = experiment
        self._cloud = cloud
        self._progress = progress

    def submit(self, table: Table, required: Sequence[str], replicas: int | None) -> pd.DataFrame:
        """Send what is not known yet, and return the receipt; see ``Experiment.submit``."""
        views = self._progress.views()
        known, past = _known(views), pace.past(views)
        del views  # of a million jobs, their records are not needed any more
        work = Work()
        with Draft(self._largest) as draft:
            receipt = frames.receipt(_drafted(self._compared(table, required, known), draft, work))
            receipt.attrs["notes"] = foresee(work, past, replicas)
            for note in receipt.attrs["notes"]:
                _log.warning("%s: %s", self._experiment, note)
            if draft.jobs:
                self._send(draft)
        return receipt

    def diff(self, table: Table, required: Sequence[str]) -> pd.DataFrame:
        """Return what a submission would do; see ``Experiment.diff``."""
        known = _known(self._progress.views())
        return frames.plan(self._compared(table, required, known, ask=True))

    @cached_property
    def _largest(self) -> int:
        return self._cloud.queue.largest_message()

    def _compared(
        self, table: Table, required: Sequence[str], known: Mapping[str, Known], *, ask: bool = False
    ) -> Iterator[Difference]:
        """Give the jobs of a table beside the known ones, under a bar; a changed one is a fault, unless to ``ask``."""
        rules = Rules(self._experiment, parcel.LARGEST_BODY, required, {} if ask else known)
        rows = read(table)
        return compare(check(self._bar("check", "row", rows.total, rows), rules), known)

    def _send(self, draft: Draft) -> None:
        """Write down what is to be sent, send it, and mark list after list as sent."""
        queue, store = self._cloud.queue, self._cloud.store
        for _ in self._bar("upload", "job", draft.bodies, draft.upload(store)):
            pass  # a message must find its body there
        submitted = draft.announce(store, self._experiment)
        again = control.purging.revive(store, self._purged_of(draft))
        with self._bar("submit", "job", draft.jobs) as bar:
            sender = Sender(queue, bar.update, total=draft.jobs, largest=self._largest)
            for submission, parcels in zip(submitted, draft.parcels(), strict=True):
                sender.send(each.outgoing(*again.get(each.job_id, ())) for each in parcels)
                submissions.confirm(store, submission)

    def _purged_of(self, draft: Draft) -> dict[str, str]:
        """Return the fingerprints of those jobs, by their ids, whose ids purged ones had."""
        purged = self._progress.purged()
        parcels = (each for part in draft.parcels() for each in part) if purged else ()
        return {each.job_id: each.fingerprint for each in parcels if each.job_id in purged}

    def _bar(self, what: str, unit: str, total: int | None, over: Iterable[Any] | None = None) -> Any:
        """Return a bar with rate and time left; what it goes over is given on."""
        return tqdm(over, total=total, desc=f"{self._experiment}: {what}", unit=unit, delay=MOMENT_S)


def _drafted(differences: Iterable[Difference], draft: Draft, work: Work) -> Iterator[Difference]:
    """Give the differences on, and take down what is to be sent."""
    for each in differences:
        if each.action is Action.SEND:
            draft.add(each.job)
            work.add(each.job)
        yield each


def _known(views: Iterable[View]) -> dict[str, Known]:
    return {view.job_id: _as_known(view) for view in views}


def _as_known(view: View) -> Known:
    """Return a view as a table is compared with it; fields that are only a part of the job's would mislead."""
    return Known(view.state, view.accepted, view.fingerprint, None if view.body else view.fields)
