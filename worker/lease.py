"""The lease on one message: kept by a heartbeat, fenced by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lrtkit.wire.clock import Clock
from lrtkit.wire.errors import LeaseCapped, LeaseLost, LrtError
from lrtkit.wire.sqs import Message, Queue
from worker.patience import patiently
from worker.report import Report

BEATS = 4
"""Heartbeats a lease."""

MARGIN = 1 / 8
"""The part of a lease that is left for ending the workload when the queue has fallen silent."""


class Lease:
    """The right to work on a message until ``deadline`` on the monotonic clock.

    Times are taken before a call is made, so that the lease is never thought longer than it is.
    """

    def __init__(self, queue: Queue, clock: Clock, message: Message, *, lease_s: float, received: float) -> None:
        self._queue = queue
        self._clock = clock
        self._receipt = message.receipt
        self._lease_s = lease_s
        self._received = received
        self._deadline = received + lease_s
        self._capped = False

    @property
    def beat_s(self) -> float:
        """Seconds between two heartbeats."""
        return self._lease_s / BEATS

    @property
    def age_s(self) -> float:
        """Seconds since the receive, which no extension sets back."""
        return self._clock.monotonic() - self._received

    @property
    def left_s(self) -> float:
        """Seconds until the worker must have stopped."""
        return self._deadline - self.reserve_s - self._clock.monotonic()

    @property
    def reserve_s(self) -> float:
        """Seconds at the end of the lease that are kept for ending the workload."""
        return self._lease_s * MARGIN

    def check(self) -> None:
        """Raise LeaseLost where the lease may have run out: nothing may be written any more."""
        if self.left_s <= 0:
            raise LeaseLost("the queue has not confirmed the lease for too long")

    @asynccontextmanager
    async def held(self, report: Report) -> AsyncIterator[None]:
        """Keep the lease while the body runs; end the body with LeaseLost when it cannot be kept."""
        if self.left_s <= 0:  # the poll took as long as a lease, which may have begun with its answer: the queue knows
            await self._extended(report)
            self.check()
        async with asyncio.TaskGroup() as group:
            heartbeat = group.create_task(self._beat(report))
            try:
                yield
            finally:
                heartbeat.cancel()

    async def release(self, report: Report, delay_s: float = 0) -> None:
        """Give the job back; raise LeaseLost, or TimeoutError where the queue stays silent until the lease is over."""
        async with asyncio.timeout(max(0.0, self.left_s)):
            await patiently(self._clock, report, self._queue.release, self._receipt, delay_s)

    async def delete(self, report: Report) -> None:
        """Acknowledge the job; raise as ``release`` does."""
        async with asyncio.timeout(max(0.0, self.left_s)):
            await patiently(self._clock, report, self._queue.delete, self._receipt)

    async def _beat(self, report: Report) -> None:
        wait_s = self.beat_s
        while True:
            await self._clock.sleep(max(0.0, min(wait_s, self.left_s)))
            self.check()
            wait_s = self.beat_s if await self._extended(report) else self.beat_s / BEATS

    async def _extended(self, report: Report) -> bool:
        """Extend once and tell whether it worked; only a lost lease ends the heartbeat, no other trouble."""
        asked = self._clock.monotonic()
        if self._capped:
            return False
        try:
            async with asyncio.timeout(min(self.beat_s, self.left_s) if self.left_s > 0 else self.beat_s):
                await self._clock.run(self._queue.extend, self._receipt, self._lease_s)
        except LeaseLost:
            raise
        except LeaseCapped as error:
            self._capped = True
            report("lease-capped", error=str(error))
            return False
        except (LrtError, TimeoutError, OSError) as error:
            report("heartbeat-failed", error=str(error) or "no answer in time", left_s=round(self.left_s, 1))
            return False
        self._deadline = asked + self._lease_s
        return True
