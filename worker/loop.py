"""The story of a worker: take a job, hold it, serve it, let it go; and the same again."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from traceback import format_exception

from lrtkit.wire import keys
from lrtkit.wire.errors import LeaseLost, LrtError, Unavailable
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import LONG_POLL_S, Message
from worker.lease import BEATS, Lease
from worker.node import IDLE
from worker.organs import Organs
from worker.patience import backoff_s
from worker.report import Report
from worker.service import Service
from worker.stop import unless
from worker.verdict import Acknowledge, Release, Verdict

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

LAST_LOOK_S = 3.0
"""How often a stop looks whether the bucket answers at all."""

LAST_PATIENCE_S = 10.0
"""How long it waits for that answer, which may have to pass a last upload on its way."""

LAST_POLL_S = 1.0
"""How long a stop waits for a poll on its way, so that a job that it may bring is given back at once."""


class Worker:
    """Takes one job after the other until it is asked to stop or has been idle for as long as set."""

    def __init__(self, organs: Organs, settings: WorkerSettings) -> None:
        self._organs = organs
        self._settings = settings
        self._report = organs.report
        self._idle_since = organs.clock.monotonic()
        self._troubles = 0

    async def work(self) -> None:
        """Work until the stop signal comes or nothing has come for too long."""
        self._report("started", workload=self._settings.workload)
        attempt_id = uuid.uuid4().hex
        while not self._organs.stop.is_set() and self._idle_left_s > 0:
            await self._organs.node.set_deletion_cost(IDLE)
            asked = self._organs.clock.monotonic()
            try:
                message = await unless(self._organs.stop, self._receive(attempt_id), grace_s=LAST_POLL_S)
            except LrtError as error:  # asked again by the same id, a message whose answer was lost comes again
                await self._pause(error)
                continue
            attempt_id = uuid.uuid4().hex
            if message:
                await self._serve(message, asked)
                self._idle_since = self._organs.clock.monotonic()
        self._report("stopped")

    @property
    def _idle_left_s(self) -> float:
        limit_s = self._settings.idle_exit_s
        return math.inf if limit_s is None else self._idle_since + limit_s - self._organs.clock.monotonic()

    async def _receive(self, attempt_id: str) -> Message | None:
        """Poll for no longer than a heartbeat: the lease may have begun when the poll did, and counts from there."""
        wait_s = max(1, int(min(LONG_POLL_S, self._settings.lease_s / BEATS, self._idle_left_s)))
        return await self._organs.clock.run(
            self._organs.queue.receive, lease_s=self._settings.lease_s, wait_s=wait_s, attempt_id=attempt_id
        )

    async def _serve(self, message: Message, asked: float) -> None:
        organs, settings = self._organs, self._settings
        report = self._report.about(message_id=message.message_id)
        lease = Lease(organs.queue, organs.clock, message, lease_s=settings.lease_s, received=asked)
        verdict: Verdict | None = None
        trouble: BaseException | None = None
        try:
            async with lease.held(report), self._bucket_watched_at_stop():
                service = Service(organs, settings, message=message, lease=lease, report=report)
                verdict = await service.verdict()
        except* LeaseLost as lost:
            report("lease-lost", reason=str(_first(lost)))
        except* Exception as others:  # noqa: BLE001  (whatever it is, the next job may go better)
            trouble = _first(others)
            verdict = Release(backoff_s(lease.beat_s, self._troubles + 1, LONGEST_PAUSE_S))
        await self._let_go(lease, verdict, report)
        if trouble:
            await self._pause(trouble)
        else:
            self._troubles = 0

    async def _let_go(self, lease: Lease, verdict: Verdict | None, report: Report) -> None:
        """Acknowledge or release the message, as long as it is ours; otherwise it comes back by itself."""
        try:
            if isinstance(verdict, Acknowledge):
                await lease.delete(report)
            if isinstance(verdict, Release):
                await lease.release(report, verdict.delay_s)
        except (LrtError, TimeoutError) as error:
            report("not-let-go", reason=str(error) or "the lease has run out")

    async def _pause(self, trouble: BaseException) -> None:
        """Wait out a trouble: no job is taken, and none pays for it, while the bucket does not answer."""
        while True:
            self._troubles += 1
            wait_s = backoff_s(FIRST_PAUSE_S, self._troubles, LONGEST_PAUSE_S)
            traceback = None if isinstance(trouble, LrtError) else "".join(format_exception(trouble))
            self._report("trouble", reason=str(trouble), traceback=traceback, wait_s=round(wait_s, 1))
            if await unless(self._organs.stop, self._wait(wait_s)) is None:
                return
            silence = await unless(self._organs.stop, self._probe())
            if silence is None:
                return
            trouble = silence

    @asynccontextmanager
    async def _bucket_watched_at_stop(self) -> AsyncIterator[None]:
        """Run the body; after the stop signal give it up, with Unavailable, where the bucket does not answer."""
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch_bucket_at_stop())
            try:
                yield
            finally:
                watch.cancel()

    async def _watch_bucket_at_stop(self) -> None:
        await self._organs.stop.wait()
        while True:
            await self._organs.clock.sleep(LAST_LOOK_S)
            try:
                async with asyncio.timeout(LAST_PATIENCE_S):
                    silence = await self._probe()
            except TimeoutError:
                silence = Unavailable("no answer in time")
            if silence:
                raise silence

    async def _probe(self) -> Unavailable | None:
        """Return why the bucket does not answer, if it does not; whether it lets us in is for the next job to see."""
        try:
            await self._organs.clock.run(self._organs.store.get, keys.PROBE)
        except Unavailable as error:
            return error
        except LrtError:
            return None
        return None

    async def _wait(self, seconds: float) -> bool:
        await self._organs.clock.sleep(seconds)
        return True


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error in a group of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
