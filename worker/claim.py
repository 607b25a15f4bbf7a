"""The worker's claim on a job record: every write is fenced, paced and made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lrtkit.wire import keys, ledger
from lrtkit.wire.clock import Clock, iso, seconds_of
from lrtkit.wire.errors import Conflict, Fenced
from lrtkit.wire.job import Job
from lrtkit.wire.ledger import Entry
from lrtkit.wire.record import Holder, Record, State
from lrtkit.wire.s3 import Store
from worker.patience import patiently
from worker.report import Report

WRITE_INTERVAL_S = 1.0
"""R2 takes one write a second to one key."""

LONGEST_WAY_S = 2.0
"""How long a write is usually on its way at the most; one that takes longer may have to be repeated."""


class Claim:
    """One attempt's hold on the record of its job.

    ``check`` raises when the lease may be gone. Until ``make`` has returned nothing is written.
    From then on every write of an older holder is refused by the bucket, and so is ours once a
    newer generation has made its claim: that raises Fenced. ``cancelled`` is set as soon as
    somebody is seen to have asked for the job's end. ``looked_at`` is when the record was last
    looked at, which every write does too.
    """

    def __init__(
        self, store: Store, clock: Clock, check: Callable[[], None], *, report: Report, job: Job, found: Entry
    ) -> None:
        self._store = store
        self._clock = clock
        self.check = check
        self._report = report
        self.job = job
        self._entry = found
        self._record = found.record or Record(State.WAITING)
        self._lock = asyncio.Lock()
        self._made = asyncio.Event()
        self._written_at: float | None = None
        self.looked_at = clock.monotonic()
        self.cancelled = asyncio.Event()
        self._note_cancel()

    @property
    def record(self) -> Record:
        """The record as last read or written."""
        return self._record

    async def make(self, holder: Holder) -> None:
        """Swap in the next generation; raise Conflict where the record is no longer as it was found."""
        await self._clock.sleep(self._foreign_pause_s())
        job, now = self.job, iso(self._clock.now())
        claimed = self._record.claimed(holder, fingerprint=job.fingerprint, steps=job.steps, now=now)
        async with self._lock:
            await self._swap(claimed)
        self._report("claimed", step=claimed.attempts[-1].first_step, attempts=claimed.counts.attempts)
        self._made.set()

    async def write(self, change: Callable[[Record], Record]) -> Record:
        """Apply a change to the record and write it; raise Fenced where a newer generation has it."""
        await self._made.wait()
        async with self._lock:
            while True:
                await self._pace()
                wanted = change(self._record)
                try:
                    await self._swap(wanted)
                except Conflict:
                    await self._reread()
                    if self._record == wanted:  # ours after all: only the answer had been lost
                        return wanted
                    self._check_open()
                else:
                    return wanted

    async def refresh(self) -> None:
        """Look whether somebody else has changed the record: a newer claim, or a wish to cancel."""
        await self._made.wait()
        async with self._lock:
            self.looked_at = self._clock.monotonic()
            if await self._clock.run(self._store.changed, keys.record(self.job.job_id), self._entry.etag or ""):
                await self._reread()
                self._check_open()

    async def _pace(self) -> None:
        if self._written_at is not None:
            await self._clock.sleep(max(0.0, self._written_at + WRITE_INTERVAL_S - self._clock.monotonic()))

    async def _swap(self, wanted: Record) -> None:
        self.check()
        try:
            self._entry = await patiently(
                self._clock, self._report, ledger.swap, self._store, self.job.job_id, self._entry, wanted
            )
        finally:
            self._written_at = self.looked_at = self._clock.monotonic()
        self._record = wanted

    async def _reread(self) -> None:
        found = await patiently(self._clock, self._report, ledger.read, self._store, self.job.job_id)
        if found.record is None or found.record.generation != self._record.generation:
            generation = found.record.generation if found.record else "no"
            raise Fenced(f"generation {generation} has the record of {self.job.job_id}")
        self._entry, self._record = found, found.record
        self._note_cancel()

    def _check_open(self) -> None:
        """Raise Fenced where somebody else has ended the job: a final state never changes."""
        if self._record.state.final:
            raise Fenced(f"somebody else has ended {self.job.job_id} as {self._record.state}")

    def _note_cancel(self) -> None:
        if self._record.cancel_requested_at:
            self.cancelled.set()

    def _foreign_pause_s(self) -> float:
        """Return how long the last holder's write still forbids one of ours, whatever its clock says.

        It was written some time before it arrived, and arrived before it was read here.
        """
        if not self._record.updated_at:
            return 0.0
        age_s = self._clock.now() - seconds_of(self._record.updated_at)
        wait_s = self.looked_at + WRITE_INTERVAL_S - self._clock.monotonic()
        return max(0.0, wait_s) if age_s < LONGEST_WAY_S + WRITE_INTERVAL_S else 0.0
