"""How an attempt is concluded: the last write to the record, and the verdict on the message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lrtkit.wire.clock import iso
from lrtkit.wire.record import Cause, Record, State
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import Message
from worker import dead_letter, files
from worker.attempt import Halt
from worker.claim import Claim
from worker.lease import Lease
from worker.node import FINAL_UPLOAD
from worker.organs import Organs
from worker.patience import backoff_s, patiently
from worker.report import Report
from worker.running import Ended, Failed, Finished, Interrupted
from worker.verdict import Acknowledge, Release, Verdict

T = TypeVar("T")

LONGEST_BACKOFF_S = 900.0


@dataclass(frozen=True)
class Conclusion:
    """Concludes one attempt, in the order of contract 3, each step of which can be repeated.

    ``write`` makes the last change to the record, together with a checkpoint that is not saved yet.
    """

    organs: Organs
    settings: WorkerSettings
    message: Message
    lease: Lease
    claim: Claim
    report: Report
    write: Callable[[Callable[[Record], Record]], Awaitable[Record]]

    async def reach(self, ended: Ended, halt: Halt | None) -> Verdict:
        """Conclude an attempt whose workload has ``ended``, perhaps because it was told to."""
        await self.organs.node.set_deletion_cost(FINAL_UPLOAD)
        if isinstance(ended, Finished):
            return await self._commit(ended)
        if halt and halt.failure:
            output = ended.output if isinstance(ended, Interrupted) else ended.failure.output
            return await self.fail(Failed(replace(halt.failure, output=output)))
        if halt and not halt.cause:
            return await self.cancel()
        if halt or not isinstance(ended, Failed):
            return await self._interrupt(halt.cause if halt and halt.cause else Cause.WORKLOAD)
        return await self.fail(ended)

    async def fail(self, ended: Failed) -> Verdict:
        """Record a failure and let the job be tried again later, or set it aside for good."""
        failure = ended.failure
        final = ended.hopeless or self.claim.record.counts.failures + 1 >= self.settings.max_failures
        record = await self.write(lambda record: record.failed(failure, final=final, now=self._now()))
        self.report("failed", type=failure.type, reason=failure.message, failures=record.counts.failures, final=final)
        if not ended.hopeless:
            await self.organs.node.failed(
                self.claim.job.job_id, failure.message, elsewhere=self._failed_elsewhere(record)
            )
        if not final:
            return Release(backoff_s(self.lease.beat_s, record.counts.failures, LONGEST_BACKOFF_S))
        await dead_letter.set_aside(
            self.organs.queue, self.organs.clock, self.report, message=self.message, failure=failure
        )
        return await self._finally(record)

    async def cancel(self) -> Verdict:
        """End a job that nobody wants any more."""
        record = await self.claim.write(lambda record: record.cancelled(now=self._now()))
        self.report("cancelled")
        return await self._finally(record)

    async def _commit(self, finished: Finished) -> Verdict:
        job_id, generation = self.claim.job.job_id, self.claim.record.generation
        artifacts = await self._patiently(files.upload_artifacts, job_id, generation, finished.artifacts)
        result_file = await self._patiently(files.upload_json, job_id, finished.value)
        inline = None if result_file else finished.value

        def change(record: Record) -> Record:
            if record.cancel_requested_at:
                return record.cancelled(now=self._now())
            return record.done(inline, artifacts, result_file=result_file, now=self._now())

        record = await self.claim.write(change)
        self.report(record.state)
        if record.state is State.DONE:
            await self._patiently(files.publish_result, job_id, record)
            await self.organs.node.succeeded()
        return await self._finally(record)

    async def _finally(self, record: Record) -> Verdict:
        await self._patiently(files.sweep, self.claim.job.job_id, record)
        return Acknowledge()

    async def _interrupt(self, cause: Cause) -> Verdict:
        record = await self.write(lambda record: record.interrupted(cause, now=self._now()))
        step = record.checkpoint.step if record.checkpoint else None
        self.report("interrupted", cause=cause, step=step)
        return Release(self.lease.beat_s if cause is Cause.WORKLOAD else 0.0)

    async def _patiently(self, call: Callable[..., T], *args: Any) -> T:
        return await patiently(self.organs.clock, self.report, call, self.organs.store, *args)

    def _now(self) -> str:
        return iso(self.organs.clock.now())

    def _failed_elsewhere(self, record: Record) -> bool:
        here = self.organs.holder.machine
        return any(attempt.outcome == "failed" and attempt.machine != here for attempt in record.attempts)
