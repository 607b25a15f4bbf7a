"""One attempt at a claimed job: the workload at work, and everything beside it that may end it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lrtkit.wire.clock import Clock
from lrtkit.wire.errors import Unavailable
from lrtkit.wire.record import Cause, Failure, Holder
from lrtkit.wire.sqs import LEASE_CAP_S
from worker.checkpoint import Saver
from worker.claim import Claim
from worker.lease import Lease
from worker.node import Node
from worker.report import Report
from worker.running import BrokenProtocol, Ended, Running
from worker.stop import unless

LONGEST_HANDOVER_S = 1_800
"""How long a workload may take to reach its next checkpoint when a job is handed over."""

FINAL_UPLOAD_S = 300
"""What is left of the twelve hours for the last upload of a hand-over."""

COSTLIEST_WORK = 99_000
"""The deletion cost of unsaved work, a point a second, ends below that of a final upload."""


@dataclass(frozen=True)
class Halt:
    """Why a workload is asked to stop: an interruption, a failure of its own, or, neither set, a cancel."""

    cause: Cause | None = None
    failure: Failure | None = None
    grace_s: float = 0.0
    at_checkpoint: bool = False


@dataclass(frozen=True)
class Limits:
    """How long an attempt may take and how long it may take to stop, in seconds."""

    handover_s: float
    grace_s: float


class Attempt:
    """Runs a workload until it ends, or until the lease, a signal, a cancel or the clock ends it."""

    def __init__(
        self, running: Running, claim: Claim, saver: Saver, *, lease: Lease, clock: Clock, report: Report
    ) -> None:
        self._running = running
        self._claim = claim
        self._saver = saver
        self._lease = lease
        self._clock = clock
        self._report = report
        self._halted = asyncio.Event()
        self.halt: Halt | None = None
        """Why the workload was asked to stop, if it was."""

    async def run(self, holder: Holder, limits: Limits, *, stop: asyncio.Event, node: Node) -> Ended:
        """Claim the job and run it until the workload has ended; nothing that ran beside it is left.

        The workload starts while the claim is on its way, and nothing of it is written before.
        """
        beside = (
            self._watch_record(node),
            self._watch_cancel(limits),
            self._watch_stop(limits, stop),
            self._watch_age(limits),
            self._watch_timeout(limits),
            self._obey(),
        )
        ended: Ended | None = None
        try:
            async with asyncio.TaskGroup() as group:
                claiming = group.create_task(self._claim.make(holder))
                group.create_task(self._keep(limits))
                tasks = [group.create_task(each) for each in beside]
                ended = await self._running.wait()
                self._saver.end()
                await claiming
                for task in tasks:
                    task.cancel()
        finally:
            if not ended:
                await self._abandon(min(limits.grace_s, self._lease.reserve_s))
        assert ended  # noqa: S101  (for the type checker: every other way out of the group has raised)
        return ended

    async def _abandon(self, grace_s: float) -> None:
        """End a workload that nobody waits for any more, before the lease has run out where that can be."""
        try:
            async with asyncio.timeout(grace_s):
                await self._running.stop()
                await self._running.wait()
        except TimeoutError:
            self._running.kill()
            await self._running.wait()

    async def _keep(self, limits: Limits) -> None:
        try:
            await self._saver.keep()
        except BrokenProtocol as broken:
            self._stop_for(Halt(failure=Failure("BrokenProtocol", str(broken)), grace_s=limits.grace_s))

    async def _watch_record(self, node: Node) -> None:
        """Look at the record within a heartbeat of the last look or write: a cancel or a newer claim is noticed."""
        while True:
            unsaved_s = self._clock.monotonic() - self._saver.saved_at
            await node.set_deletion_cost(min(COSTLIEST_WORK, 1 + int(unsaved_s)))
            wait_s = self._claim.looked_at + self._lease.beat_s - self._clock.monotonic()
            if wait_s > 0:
                await self._clock.sleep(wait_s)
                continue  # a save may have looked meanwhile
            try:
                await self._claim.refresh()
            except Unavailable as error:
                self._report("record-unseen", reason=str(error))

    async def _watch_cancel(self, limits: Limits) -> None:
        await self._claim.cancelled.wait()
        self._stop_for(Halt(grace_s=limits.grace_s))

    async def _watch_stop(self, limits: Limits, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stop_for(Halt(cause=Cause.STOPPED, grace_s=limits.grace_s))

    async def _watch_age(self, limits: Limits) -> None:
        """Hand the job over before the queue ends the lease, which it does twelve hours after the receive."""
        await self._clock.sleep(max(0.0, limits.handover_s - self._lease.age_s))
        room_s = LEASE_CAP_S - limits.handover_s - FINAL_UPLOAD_S
        grace_s = max(limits.grace_s, min(LONGEST_HANDOVER_S, room_s))
        self._stop_for(Halt(cause=Cause.HANDOVER, grace_s=grace_s, at_checkpoint=True))

    async def _watch_timeout(self, limits: Limits) -> None:
        limit_s = self._claim.job.timeout_s
        if limit_s is not None:
            await self._clock.sleep(limit_s)
            failure = Failure("Timeout", f"the attempt took longer than timeout_seconds = {limit_s:g}")
            self._stop_for(Halt(failure=failure, grace_s=limits.grace_s))

    async def _obey(self) -> None:
        while True:
            await self._halted.wait()
            self._halted.clear()
            await unless(self._halted, self._end(self.halt or Halt()))

    async def _end(self, halt: Halt) -> None:
        try:
            async with asyncio.timeout(halt.grace_s):
                await (self._running.stop_at_checkpoint() if halt.at_checkpoint else self._running.stop())
                await asyncio.Event().wait()  # the end of the workload cancels this
        except TimeoutError:
            self._running.kill()

    def _stop_for(self, halt: Halt) -> None:
        """Halt for the first reason; only a hand-over, which can wait for long, gives way to any other."""
        if not self.halt or (self.halt.at_checkpoint and not halt.at_checkpoint):
            self.halt = halt
            self._halted.set()
            self._report("halt", cause=halt.cause or (halt.failure and halt.failure.type) or "cancelled")
