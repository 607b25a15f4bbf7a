"""An experiment: a named set of jobs, and the face of everything that is done with them."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from lrtkit import submissions
from lrtkit.connection import Cloud
from lrtkit.jobs import Known, Rules, Sender, Table, check
from lrtkit.progress import JobState, Progress, View
from lrtkit.progress.audit import audit
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput, NotFinished, Unavailable
from lrtkit.wire.job import Job
from lrtkit.wire.sqs import Depth

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,99}")

MOMENT_S = 1.0
"""What takes no longer is over before a bar would be worth showing."""


class Experiment:
    """The jobs whose ids begin with ``<name>/``; all methods take and give DataFrames."""

    def __init__(self, name: str, cloud: Cloud) -> None:
        if not _NAME.fullmatch(name) or name in keys.RESERVED:
            raise BadInput(f"an experiment cannot be called {name!r}. Try: letters, digits and . _ = - as in 'argon'")
        self.name = name
        self.cloud = cloud
        self._depths: list[tuple[pd.Timestamp, Depth]] = []

    def submit(self, table: Table, *, required: Sequence[str] = ("steps",)) -> pd.DataFrame:
        """Check a DataFrame, CSV or dictionaries, and send each row that is not known yet as a job.

        A job is called ``<experiment>/<name>`` by the row's ``job_id``, else its ``name``, else by the
        values of its fields. A job is known when the queue took it from an earlier submission or a
        worker has had it, so that a second run sends nothing; what a crash left unsent is sent.

        Returns a row a job, indexed by ``job_id`` in the order of the table: ``outcome`` (sent, known)
        and ``state``. Raises BadTable with all faults of the table, before anything is sent.
        """
        largest = self._ready.queue.largest_message()
        known = {view.job_id: _known(view) for view in self._progress.views()}
        jobs = check(table, Rules(self.name, largest, required, known))
        new = [job for job in jobs if job.job_id not in known or not known[job.job_id].accepted]
        if new:
            self._send(new, largest)
        return _outcomes(jobs, {**known, **{job.job_id: None for job in new}})

    def status(self) -> pd.DataFrame:
        """Return a row a job: where it stands; see ``Progress.status``."""
        return self._progress.status()

    def attempts(self) -> pd.DataFrame:
        """Return a row an attempt: who ran which job when, and how it ended; see ``Progress.attempts``."""
        return self._progress.attempts()

    def results(self) -> pd.DataFrame:
        """Return a row a job: its fields and its result; see ``Progress.results``."""
        return self._progress.results()

    def audit(self) -> str:
        """Check the promises of the kit on what the bucket holds, and return the outcome in one sentence.

        Raises BrokenPromise where a job is lost, a result is doubled or a saved step was undone.
        """
        views = self._progress.views()
        return audit(views, self._progress.values(views))

    def depth(self) -> pd.DataFrame:
        """Read the depth of the queue, and return this and all earlier readings, indexed by ``at`` (UTC).

        ``waiting``, ``in_flight``, ``delayed`` and ``dead`` count messages of the whole queue, whichever
        experiment they are of; SQS gives them approximately.
        """
        self._depths.append((pd.Timestamp.now("UTC"), self._ready.queue.depth()))
        index = pd.DatetimeIndex([at for at, _ in self._depths], name="at")
        return pd.DataFrame([depth for _, depth in self._depths], index=index)

    def wait(self, timeout_s: float | None = None, *, every_s: float = 2.0) -> pd.DataFrame:
        """Wait, with a progress bar, until every job is done, failed or cancelled, and return the status.

        The bucket is looked at every ``every_s`` seconds. Raises NotFinished when ``timeout_s`` seconds
        are over, and BadInput where the experiment has no jobs.
        """
        end = math.inf if timeout_s is None else time.monotonic() + timeout_s
        status = self.status()
        if status.empty:
            raise BadInput(f"experiment {self.name} has no jobs in bucket {self.cloud.store.bucket}. Try: submit some")
        with tqdm(total=len(status), desc=self.name, unit="job") as bar:
            while left := _left(status):
                _show(bar, status, left)
                if time.monotonic() + every_s > end:
                    raise NotFinished(_unfinished(left, timeout_s))
                time.sleep(every_s)
                with suppress(Unavailable):  # a wait of days outlives a network that is away for a while
                    status = self.status()
            _show(bar, status, left)
        return status

    @cached_property
    def _ready(self) -> Cloud:
        """The cloud, looked at before its first use, so that whatever is missing is told in one sentence."""
        self.cloud.check()
        return self.cloud

    @cached_property
    def _progress(self) -> Progress:
        return Progress(self._ready.store, self.name)

    def _send(self, jobs: Sequence[Job], largest: int) -> None:
        """Write down what is to be sent, send it, and mark it as sent."""
        cloud = self._ready
        submission = submissions.announce(cloud.store, self.name, jobs)
        with tqdm(total=len(jobs), desc=f"{self.name}: submit", unit="job", delay=MOMENT_S) as bar:
            Sender(cloud.queue).send(jobs, bar.update, largest=largest)
        submissions.confirm(cloud.store, submission)

    def __repr__(self) -> str:
        return f"<Experiment {self.name}: queue {self.cloud.queue.name}, bucket {self.cloud.store.bucket}>"

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"


def _known(view: View) -> Known:
    return Known(view.state, view.accepted, view.fingerprint, view.fields)


def _outcomes(jobs: Sequence[Job], known: Mapping[str, Known | None]) -> pd.DataFrame:
    """Return what became of each job; those that are None in ``known`` were sent."""
    found = [known[job.job_id] for job in jobs]
    rows = [("known", job.state) if job else ("sent", JobState.QUEUED) for job in found]
    index = pd.Index([job.job_id for job in jobs], name="job_id", dtype="str")
    return pd.DataFrame(rows, index=index, columns=["outcome", "state"], dtype="str")


def _left(status: pd.DataFrame) -> dict[str, int]:
    """Return how many jobs have not ended, by their states."""
    counts = Counter(status["state"].tolist())
    return {state: counts[state] for state in JobState if counts[state] and not state.final}


def _show(bar: tqdm[Any], status: pd.DataFrame, left: Mapping[str, int]) -> None:
    bar.total, bar.n = len(status), len(status) - sum(left.values())
    bar.set_postfix(left)


def _unfinished(left: Mapping[str, int], timeout_s: float | None) -> str:
    told = ", ".join(f"{count:,} {state}" for state, count in left.items())
    advice = "submit the table again" if JobState.UNSENT in left else "wait longer, or look at status()"
    return f"after {timeout_s:g} s these jobs have not ended: {told}. Try: {advice}"
