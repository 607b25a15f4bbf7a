"""What is done about one message while its lease is held."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from lrtkit.wire import ledger, parcel
from lrtkit.wire.errors import Conflict, DamagedFile, LrtError, PoisonMessage
from lrtkit.wire.job import Job
from lrtkit.wire.ledger import Entry
from lrtkit.wire.parcel import Lost, Parcel
from lrtkit.wire.record import Failure, Record, State
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import Message
from worker import checkpoint, dead_letter, files
from worker.attempt import Attempt, Limits
from worker.checkpoint import Loaded, Saver
from worker.claim import Claim
from worker.conclusion import Conclusion
from worker.lease import Lease
from worker.organs import Organs
from worker.patience import patiently
from worker.report import Report
from worker.running import Failed
from worker.stop import unless
from worker.verdict import Acknowledge, Gone, Release, Verdict

T = TypeVar("T")


class SilentTooOften(LrtError):
    """Attempt after attempt has ended by itself, without a result and without progress."""


class Service:
    """Serves one message: from its body to a verdict on it."""

    def __init__(
        self, organs: Organs, settings: WorkerSettings, *, message: Message, lease: Lease, report: Report
    ) -> None:
        self._organs = organs
        self._settings = settings
        self._message = message
        self._lease = lease
        self._report = report

    async def verdict(self) -> Verdict:
        """Do whatever the message asks for, and say what is to become of it."""
        if await dead_letter.renew(self._organs.queue, self._organs.clock, self._report, message=self._message):
            return Gone()
        try:
            return await self._serve(parcel.received(self._message.body, self._message.attributes))
        except (PoisonMessage, DamagedFile) as error:
            return await self._set_aside(Failure(type(error).__name__, str(error)))

    async def _serve(self, received: Parcel) -> Verdict:
        """Run the job unless it has ended; start over where the record changes before it could be claimed."""
        while True:
            found = await self._patiently(ledger.read, received.job_id)
            if found.record and received.fingerprint in found.record.former:
                self._report("purged", job_id=received.job_id)
                return Acknowledge()
            if await self._has_ended(received, found):
                return await self._acknowledge(received.job_id, found.record)
            try:
                return await self._attempt(received, found)
            except* Conflict:
                self._report("claim-refused")

    async def _has_ended(self, job: Parcel, found: Entry) -> bool:
        record = found.record
        if record is None or record.is_guides:
            return await self._patiently(ledger.has_result, job.job_id)
        if record.fingerprint not in {None, job.fingerprint}:
            raise PoisonMessage(f"job_id {job.job_id} is taken by a job with other fields. Try: another job_id")
        return record.state.final

    async def _acknowledge(self, job_id: str, record: Record | None) -> Verdict:
        """Finish what the one who ended the job may not have come to, and let the message go."""
        self._report("has-ended", job_id=job_id, state=record.state if record else State.DONE)
        if record and record.state is State.DONE and not await self._patiently(ledger.has_result, job_id):
            await self._patiently(files.publish_result, job_id, record)
        if record and record.state is State.FAILED:
            return await self._set_aside(record.error or Failure("Unknown", "the record gives no reason"))
        return Acknowledge()

    async def _attempt(self, received: Parcel, found: Entry) -> Verdict:
        """Make an attempt at the job; where its body is damaged, that is the attempt's failure."""
        organs, record, job_id = self._organs, found.record or Record(State.WAITING), received.job_id
        report = self._report.about(job_id=job_id, generation=record.generation + 1)
        damage: DamagedFile | None = None
        job: Job
        try:
            job = await self._patiently(parcel.unpacked, received)
        except DamagedFile as error:
            job, damage = Lost({"job_id": job_id, "steps": record.steps}, received.fingerprint), error
        claim = Claim(organs.store, organs.clock, self._lease.check, report=report, job=job, found=found)
        async with self._work_folder() as folder:
            return await self._run(claim, folder, report, damage)

    @asynccontextmanager
    async def _work_folder(self) -> AsyncIterator[Path]:
        """Make a folder for one attempt and remove it, which may take long, beside the event loop."""
        run = self._organs.clock.run
        folder = await run(tempfile.mkdtemp, prefix="lrt-")
        try:
            yield Path(folder)
        finally:
            await run(shutil.rmtree, folder, ignore_errors=True)

    async def _run(self, claim: Claim, folder: Path, report: Report, damage: DamagedFile | None) -> Verdict:
        organs, settings = self._organs, self._settings
        conclusion = Conclusion(organs, settings, self._message, self._lease, claim, report, claim.write)
        if claim.cancelled.is_set():
            await claim.make(organs.holder)
            return await conclusion.cancel()
        if damage:
            return await self._fail(claim, conclusion, damage)
        try:
            self._check_budget(claim.record)
            loaded = await unless(organs.stop, self._load(claim, folder / "resume", report))
        except (DamagedFile, SilentTooOften) as error:
            return await self._fail(claim, conclusion, error)
        if loaded is None:
            return Release()
        running = await organs.workloads.start(claim.job, folder, report=report, resume=loaded.saved is not None)
        saver = Saver(
            organs.store, organs.clock, claim, running=running, report=report, interval_s=settings.checkpoint_s
        )
        saver.trust(loaded.hashes)
        attempt = Attempt(running, claim, saver, lease=self._lease, clock=organs.clock, report=report)
        limits = Limits(settings.handover_s, settings.grace_s)
        ended = await attempt.run(organs.holder, limits, stop=organs.stop, node=organs.node)
        return await replace(conclusion, write=saver.finish).reach(ended, attempt.halt)

    async def _fail(self, claim: Claim, conclusion: Conclusion, error: DamagedFile | SilentTooOften) -> Verdict:
        """Let an attempt fail that could not begin."""
        await claim.make(self._organs.holder)
        hopeless = isinstance(error, SilentTooOften)
        return await conclusion.fail(Failed(Failure(type(error).__name__, str(error)), hopeless))

    def _check_budget(self, record: Record) -> None:
        if record.silent_streak >= self._settings.max_silent:
            raise SilentTooOften(
                f"{record.silent_streak} attempts in a row ended by themselves, without a result and without progress. "
                "Try: smaller memory needs, checkpoints earlier in the work, or no exit code 75 before the first"
            )

    async def _load(self, claim: Claim, folder: Path, report: Report) -> Loaded:
        store, clock = self._organs.store, self._organs.clock
        return await checkpoint.load(store, clock, report, job_id=claim.job.job_id, record=claim.record, folder=folder)

    async def _set_aside(self, failure: Failure) -> Verdict:
        organs = self._organs
        await dead_letter.set_aside(organs.queue, organs.clock, self._report, message=self._message, failure=failure)
        return Acknowledge()

    async def _patiently(self, call: Callable[..., T], *args: Any) -> T:
        return await patiently(self._organs.clock, self._report, call, self._organs.store, *args)
