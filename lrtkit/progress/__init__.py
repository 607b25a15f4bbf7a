"""The progress of jobs, as the bucket shows it.

::

    bucket ─ cache ─► records, results, submissions ─ reader ─► one view a job ─ frames ─► DataFrames
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from lrtkit.progress import frames
from lrtkit.progress.cache import Source
from lrtkit.progress.reader import Reader
from lrtkit.progress.view import JobState, View

__all__ = ["JobState", "Progress", "View"]


class Progress:
    """The jobs of an experiment or, without one, all of a bucket, that of the guide's worker too.

    Each method reads the bucket: its list, and what has changed since the last time. Ages are told by the
    bucket's clock, or by ``now`` (seconds since 1970) where that is given.
    """

    def __init__(self, store: Source, experiment: str | None = None, *, now: Callable[[], float] | None = None) -> None:
        self._reader = Reader(store, experiment, now=now)

    def views(self) -> list[View]:
        """Return what is known of each job, in the order of their ids."""
        return self._reader.views()

    def purged(self) -> dict[str, View]:
        """Return what stays, as the last look at the bucket has shown, of jobs that were purged, by their ids."""
        return self._reader.purged

    def oldest_s(self) -> float | None:
        """Return how long the oldest queued job has waited, where the bucket was looked at within the last minute."""
        return self._reader.oldest_s()

    def values(self, views: Iterable[View]) -> dict[str, Any]:
        """Return the results of those jobs that are done, by their ids."""
        return self._reader.values(views)

    def status(self) -> pd.DataFrame:
        """Return a row a job, indexed by ``job_id`` in order.

        ``state`` (unsent, queued, running, interrupted, done, failed, cancelled, expired), ``step`` and
        ``steps``, ``progress`` (0 to 1), ``attempts``, ``interruptions`` and ``failures`` (counts),
        ``causes`` of the interruptions (``2 node gone, 1 hand-over``), the last ``machine``,
        ``saved_at`` (UTC, of the last checkpoint), ``rate_per_s`` (steps, of the last attempt that
        saved), ``time_left`` at that rate, ``age`` since the submission (up to its end where a job has
        ended), ``error`` (in short, of jobs not done).
        """
        return frames.status(self.views())

    def attempts(self) -> pd.DataFrame:
        """Return a row an attempt, the last 50 of each job, in the order of jobs and generations.

        ``job_id, generation, worker, machine``, ``started_at`` and ``ended_at`` (UTC), ``first_step``,
        ``last_step`` and ``steps``, ``outcome`` (running, done, interrupted, failed, cancelled) and
        ``cause``. An attempt that runs has no ``ended_at``.
        """
        return frames.attempts(self.views())

    def results(self) -> pd.DataFrame:
        """Return a row a job, indexed by ``job_id`` in order: its fields as submitted and what it came to.

        The members of a result that is an object are columns, those of objects in it by their path
        (``pressure.error``); any other result is the column ``result``. A name that is taken, as by
        a field, gets ``result.`` before it. Only jobs that are done have values.
        """
        views = self._reader.whole(self.views())
        return frames.results(views, self.values(views))
