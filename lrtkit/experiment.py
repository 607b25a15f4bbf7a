"""An experiment: a named set of jobs, and the face of everything that is done with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lrtkit import artifacts, control
from lrtkit.connection import Cloud
from lrtkit.control import Ids
from lrtkit.control.purging import Estate, Purge
from lrtkit.depths import Depths, Sampling
from lrtkit.jobs import Table
from lrtkit.progress import Progress, View, waiting
from lrtkit.progress.audit import audit
from lrtkit.progress.story import Story, tell
from lrtkit.shown import Sentence, card
from lrtkit.submitting import Submitter
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput

if TYPE_CHECKING:
    from lrtkit.dashboard import Dashboard
    from lrtkit.dashboard.reading import Scaler

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,99}")


class Experiment:
    """The jobs whose ids begin with ``<name>/``; all methods take and give DataFrames."""

    def __init__(self, name: str, cloud: Cloud) -> None:
        if not _NAME.fullmatch(str(name)) or name in keys.RESERVED or not isinstance(name, str):
            raise BadInput(f"an experiment cannot be called {name!r}. Try: letters, digits and . _ = - as in 'argon'")
        if not isinstance(cloud, Cloud):
            raise BadInput(f"{cloud!r} is no cloud. Try: Experiment({name!r}, lrtkit.connect(env_file))")
        self.name = name
        self.cloud = cloud
        self._sampling: Sampling | None = None

    def submit(
        self, table: Table, *, required: Sequence[str] = ("steps",), replicas: int | None = None
    ) -> pd.DataFrame:
        """Check a DataFrame, CSV or dictionaries, and send each row that is not known yet as a job.

        The table may be of any length: its rows are looked at one by one, and what is to be sent waits
        on disk until all of them are checked. A job that is too large for a message goes to the bucket,
        and its message says where it lies.

        A job is called ``<experiment>/<name>`` by the row's ``job_id``, else its ``name``, else by the
        values of its fields. A job is known when the queue took it from an earlier submission or a
        worker has had it, so that a second run sends nothing; what a crash left unsent is sent, and so
        is what has expired.

        Returns a row a job, indexed by ``job_id`` in the order of the table: ``outcome`` (sent, known)
        and ``state``. What the plan would not survive, as far as earlier jobs tell how long one takes
        on the ``replicas`` (those that run, where not given), is logged as a warning before anything is
        sent, and kept in ``.attrs["notes"]``. Raises BadTable with all faults of the table, before
        anything is sent.
        """
        return self._submitter.submit(table, required, replicas)

    def diff(self, table: Table, *, required: Sequence[str] = ("steps",)) -> pd.DataFrame:
        """Return what ``submit`` would do with a table, and send nothing.

        A row a job, indexed by ``job_id`` in the order of the table: ``action`` (send, none, or ask:
        the row differs from the job that has its id, and submit refuses the table), ``state`` (new,
        changed, or that of the known job; expired: neither sent nor moved for 14 days, so that its
        message is gone) and ``changed`` (the columns that differ). Raises BadTable with every other
        fault of the table.
        """
        return self._submitter.diff(table, required)

    def status(self) -> pd.DataFrame:
        """Return a row a job: where it stands; see ``Progress.status``."""
        return self._progress.status()

    def attempts(self) -> pd.DataFrame:
        """Return a row an attempt: who ran which job when, and how it ended; see ``Progress.attempts``."""
        return self._progress.attempts()

    def results(self) -> pd.DataFrame:
        """Return a row a job: its fields and its result; see ``Progress.results``."""
        return self._progress.results()

    def views(self) -> list[View]:
        """Return what the bucket says of each job, in the order of their ids: what frames and stories are made of."""
        return self._progress.views()

    def audit(self) -> Sentence:
        """Check the promises of the kit on what the bucket holds, and return the outcome in one sentence.

        Raises BrokenPromise where a job is lost, a result is doubled or a saved step was undone.
        """
        views = self._progress.views()
        return audit(views, self._progress.values(views))

    def depth(self, *, past_h: float = 24.0) -> pd.DataFrame:
        """Read the depth of the queue, and return this and the readings of the last hours, indexed by ``at`` (UTC).

        ``waiting``, ``in_flight``, ``delayed`` and ``dead`` count messages of the whole queue, whichever
        experiment they are of; SQS gives them approximately. ``oldest`` is how long the oldest of this
        experiment's queued jobs has waited, where the bucket was looked at within the last minute.
        Readings are kept in the bucket for fresh kernels and colleagues, a minute's at once, and
        those of the autoscaler are among them, with its ``replicas``.
        """
        self._sample()
        return self._depths.frame(past_h)

    def sampling(self, *, every_s: float = 30.0) -> Sampling:
        """Read the depth in the background from now on, and keep it, so that charts of it have a past.

        It ends with ``stop()``, with its ``with`` block, with a new sampling or with the kernel; no trouble
        of it is raised.
        """
        if every_s < 1:
            raise BadInput(f"every_s is {every_s:g} but must be at least 1. Try: 30, as each reading is two calls")
        if self._sampling:
            self._sampling.stop()
        self._sampling = Sampling(self._depths, self._sample, every_s=every_s)
        return self._sampling

    def wait(self, timeout_s: float | None = None, *, every_s: float = 2.0) -> pd.DataFrame:
        """Wait, with a progress bar, until every job is done, failed or cancelled, and return the status.

        The bucket is looked at every ``every_s`` seconds. Raises NotFinished when ``timeout_s`` seconds
        are over or when all that is left has expired, and BadInput where the experiment has no jobs.
        """
        status = self.status()
        if status.empty:
            raise BadInput(f"experiment {self.name} has no jobs in bucket {self.cloud.store.bucket}. Try: submit some")
        return waiting.wait(self.status, status, name=self.name, timeout_s=timeout_s, every_s=every_s)

    def dashboard(self, *, scaler: Scaler | None = None, refresh_s: float = 5.0) -> Dashboard:
        """Return a live board of all jobs, which a cell that ends with it shows.

        Read anew every ``refresh_s`` seconds, on a thread of its own; with buttons to cancel and retry a
        job and, where a ``scaler`` is given, for a step of the autoscaler, each asking before it acts.
        """
        from lrtkit.dashboard import Dashboard  # noqa: PLC0415 - widgets and charts are for those who look

        return Dashboard(Experiment(self.name, self._ready), scaler=scaler, refresh_s=refresh_s)

    def artifacts(self, ids: Ids, folder: str | Path | None = None) -> pd.DataFrame:
        """List the files of jobs' results, and download them where a ``folder`` is given; ids as for ``cancel``.

        A file lies at ``<folder>/<name of the job>/<name of the file>``. Returns a row a file, indexed by
        ``job_id``: ``name``, ``size`` (bytes), ``sha256`` and, after a download, ``path``. What is there
        already is not downloaded again, and no file is written outside of the folder. Raises BadInput,
        before anything is written, where an id is not known or a name would leave the folder, and
        DamagedFile where a file is not what was saved.
        """
        found = artifacts.found((view.job_id, view.record) for view in self._chosen(ids))
        if folder is None:
            return artifacts.listed(found)
        return artifacts.download(self._ready.store, found, folder=Path(folder), experiment=self.name)

    def why(self, job_id: str) -> Story:
        """Tell a job's story in plain words: how often it was received, what went wrong, where the time went.

        A cell that ends with it shows the sentences; its ``frame`` has a row an attempt, with seconds,
        and its ``traceback`` that of the last failure. Raises BadInput where the id is not known.
        """
        (view,) = self._chosen(job_id)
        return tell(view)

    def cancel(self, ids: Ids) -> pd.DataFrame:
        """Cancel jobs, given by their ids or by a frame of the kit, as ``exp.cancel(status.query("lr > 1"))``.

        A job that waits is cancelled at once, its message is let go unrun by whoever takes it. A job
        that runs is asked to stop: its worker ends it with the next heartbeat, without a result. Where
        a cancel and an end of the job come at once, one of them wins.

        Returns a row a job, indexed by ``job_id``: ``outcome`` (cancelled, asked to stop, had ended as
        …) and ``state``. Raises BadInput, before anything is done, where an id is not known.
        """
        return control.cancel(self._ready.store, self._chosen(ids))

    def retry(self, ids: Ids) -> pd.DataFrame:
        """Give jobs another chance, from their last checkpoint and with a fresh budget of failures.

        For jobs that have failed or were cancelled, and those whose message was lost; ids as for
        ``cancel``, those of dead letters too. It can be repeated wherever it broke off.

        Returns a row a job, indexed by ``job_id``: ``outcome`` (sent again, is running already, is
        queued already, had ended as done) and ``state``. Raises BadInput, before anything is done,
        where an id is not known, a job is done, or nothing is left that says what it was.
        """
        cloud = self._ready
        letters = control.letters.read(cloud.queue)
        own = [letter for letter in letters if self._is_own(letter.job_id)]
        chosen = control.choose(ids, control.retrying.known(self._progress.views(), own), self.name)
        return control.retry(cloud.queue, cloud.store, chosen, own)

    def dead_letters(self) -> pd.DataFrame:
        """Return a row a dead letter of these jobs, indexed by ``job_id``, and of messages that are no job.

        ``reason``, ``error_type`` and ``failed_at`` (UTC) say why it was set aside, ``state`` where the
        job stands now; ``body`` is that of a message that is no job. The job's fields follow, with
        ``job.`` before a name that is taken. Nothing is taken away; for a moment the letters are
        hidden from whoever else reads them. Of several letters of one job the oldest may hide the others.
        """
        found = control.letters.read(self._ready.queue)
        states = {view.job_id: view.state for view in self._progress.views()}
        return control.letters.frame([each for each in found if self._is_own(each.job_id, odd=True)], states)

    def purge(self, *, confirm: str | None = None) -> Purge:
        """Tell what a purge would remove; with ``confirm``, the experiment's name, remove it for good.

        Everything that the bucket has of the experiment goes, and its dead letters. Its messages cannot be
        picked out of a queue that others use too; in place of each job a small record stays, so that
        whoever takes a message that is left lets it go unrun. The same rows can be submitted anew.

        Raises BadInput, before anything is removed, where the name is another or jobs run that were not
        cancelled. It can be repeated wherever it broke off.
        """
        cloud = self._ready
        found = control.letters.read(cloud.queue)
        own = {letter.message_id for letter in found if self._is_own(letter.job_id)}
        views = self._progress.views()
        objects = list(cloud.store.listed(f"{self.name}/"))
        estate = Estate(self.name, views, list(self._progress.purged().values()), objects, len(own))
        if confirm is None:
            return control.purging.foretold(estate)
        control.purging.check(estate, confirm)
        purge = control.purging.purge(cloud.store, estate)
        control.letters.delete(cloud.queue, own)
        return purge

    @cached_property
    def _ready(self) -> Cloud:
        """The cloud, looked at before its first use, so that whatever is missing is told in one sentence."""
        self.cloud.check()
        return self.cloud

    def _sample(self) -> None:
        self._depths.read(self._progress.oldest_s())

    @cached_property
    def _depths(self) -> Depths:
        return Depths(self._ready.queue, self._ready.store)

    @cached_property
    def _progress(self) -> Progress:
        return Progress(self._ready.store, self.name)

    @cached_property
    def _submitter(self) -> Submitter:
        return Submitter(self.name, self._ready, self._progress)

    def _chosen(self, ids: Ids) -> list[View]:
        return control.choose(ids, self._progress.views(), self.name)

    def _is_own(self, job_id: str | None, *, odd: bool = False) -> bool:
        return odd if job_id is None else job_id.startswith(f"{self.name}/")

    def __repr__(self) -> str:
        return f"<Experiment {self.name}: queue {self.cloud.queue.name}, bucket {self.cloud.store.bucket}>"

    def _repr_html_(self) -> str:
        return card(f"Experiment {self.name}", self.cloud.facts())
