"""The lease, in virtual time."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lrtkit import queues
from lrtkit.wire.errors import LeaseLost
from lrtkit.wire.job import Job
from lrtkit.wire.record import Holder
from lrtkit.wire.s3 import Store
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import LEASE_CAP_S, Message, Outgoing, SqsQueue
from tests.simulation.clock import Meter, VirtualClock, time_of_day
from tests.simulation.cloud import QUEUE
from tests.simulation.letters import Place
from tests.simulation.loop import run
from tests.simulation.sqs import SqsTwin
from tests.simulation.sqs_account import ROOT
from worker import dead_letter
from worker.lease import Lease
from worker.loop import Worker
from worker.node import Node
from worker.organs import Organs
from worker.report import Report
from worker.running import Running

LEASE_S = 120.0
DAY_S = 86_400


class Line:
    """The way to the queue, which can be down."""

    def __init__(self, twin: SqsTwin) -> None:
        self.is_down = False
        self.polls: list[int] = []
        self._twin = twin

    def receive_message(self, **asked: Any) -> Any:
        """Note how long a poll would wait."""
        self.polls.append(asked["WaitTimeSeconds"])
        return self._twin.receive_message(**asked)

    def __getattr__(self, operation: str) -> Any:
        if self.is_down:
            raise EndpointConnectionError(endpoint_url=ROOT)
        return getattr(self._twin, operation)


@dataclass
class Bench:
    """A queue, the line to it, a clock and a log; answers take no time until ``twin.answer_s`` says so."""

    clock: VirtualClock
    twin: SqsTwin
    line: Line
    queue: SqsQueue
    log: io.StringIO
    report: Report

    @classmethod
    def new(cls) -> Bench:
        """Return an empty one."""
        meter, log = Meter(), io.StringIO()
        clock, twin = VirtualClock(meter), SqsTwin(now=time_of_day, meter=meter, answer_s=0)
        twin.create_queue(QueueName="jobs.fifo", Attributes=queues.QUEUE)
        line = Line(twin)
        queue = SqsQueue(QUEUE, connect=lambda *_, **__: line)
        return cls(clock, twin, line, queue, log, Report(clock, Holder("worker", "machine"), log))

    def visible(self) -> int:
        """Return how many messages somebody could receive."""
        return self.twin.look(self.queue.url).counts[Place.VISIBLE]

    def send(self) -> None:
        """Send a job."""
        self.queue.send(Outgoing('{"job_id": "job"}', "job", "once", {"by": "hand"}))

    def receive(self) -> Message:
        """Receive a job."""
        attempt_id = str(self.twin.calls.total())
        message = self.queue.receive(lease_s=LEASE_S, wait_s=0, attempt_id=attempt_id)
        assert message
        return message

    def take(self) -> Message:
        """Send a job and receive it."""
        self.send()
        return self.receive()

    def lease(self) -> Lease:
        """Take a job and return the lease on it."""
        message = self.take()
        return Lease(self.queue, self.clock, message, lease_s=LEASE_S, received=self.clock.monotonic())

    def told(self, event: str) -> int:
        """Return how often the log tells of an event."""
        return sum(json.loads(line)["event"] == event for line in self.log.getvalue().splitlines())


async def hold(bench: Bench, lease: Lease, seconds: float) -> float | None:
    """Hold a lease for so long; return when it was lost, if it was, and see that it was still ours then."""
    lost_at = None
    try:
        async with lease.held(bench.report):
            end = bench.clock.monotonic() + seconds
            while bench.clock.monotonic() < end:
                assert not bench.visible()
                await bench.clock.sleep(1)
    except* LeaseLost:
        assert not bench.visible(), "somebody else could have taken the job already"
        lost_at = bench.clock.monotonic()
    return lost_at


def test_a_heartbeat_keeps_the_lease() -> None:
    """For hours, with four beats a lease, and not longer than the body runs."""

    async def story() -> None:
        bench = Bench.new()
        lease = bench.lease()
        assert await hold(bench, lease, 6 * 3600) is None
        assert len(asyncio.all_tasks()) == 1
        await lease.delete(bench.report)
        await bench.clock.sleep(DAY_S)
        assert not bench.visible()

    run(story())


def test_failed_heartbeats_do_not_end_the_heartbeat() -> None:
    """It tries more often until it gets through, and the lease goes on."""

    async def story() -> None:
        bench = Bench.new()
        holding = asyncio.create_task(hold(bench, bench.lease(), 20 * LEASE_S))
        while not holding.done():
            await bench.clock.sleep(LEASE_S / 2)
            bench.line.is_down = not bench.line.is_down
        assert await holding is None
        assert bench.told("heartbeat-failed") >= 10

    run(story())


@pytest.mark.parametrize("silent", [False, True])
def test_silence_fences_before_the_lease_is_over(silent: bool) -> None:
    """The body ends with time left to end the workload, whether calls fail or never come back."""

    async def story() -> None:
        bench = Bench.new()
        lease = bench.lease()
        bench.line.is_down = not silent
        bench.twin.answer_s = math.inf if silent else 0.0
        lost_at = await hold(bench, lease, 10 * LEASE_S)
        assert lost_at == LEASE_S - lease.reserve_s
        with pytest.raises(LeaseLost):
            lease.check()
        with pytest.raises(TimeoutError):
            await lease.delete(bench.report)

    run(story())


def test_a_slow_answer_is_not_counted_as_lease() -> None:
    """The lease counts from the question, so that it is never thought longer than it is."""

    async def story() -> None:
        bench = Bench.new()
        lease = bench.lease()
        bench.twin.answer_s = 20
        assert await hold(bench, lease, 220) is None  # asked at 30, 80, 130 and 180
        bench.line.is_down = True
        assert await hold(bench, lease, 10 * LEASE_S)

    run(story())


@pytest.mark.parametrize("taken", [False, True])
def test_a_lease_that_comes_late_is_confirmed_first(taken: bool) -> None:
    """Where the poll took as long as a lease, the queue is asked; it refuses where somebody else has the job by now."""

    async def story() -> None:
        bench = Bench.new()
        message = bench.take()
        lease = Lease(bench.queue, bench.clock, message, lease_s=LEASE_S, received=bench.clock.monotonic() - LEASE_S)
        if taken:
            bench.queue.release(message.receipt)
            bench.receive()
        lost_at = await hold(bench, lease, 10 * LEASE_S)
        assert lost_at == (0 if taken else None)

    run(story())


def test_a_capped_lease_is_kept_to_its_end() -> None:
    """At twelve hours SQS extends no more; the lease stays ours until its present expiry, and no longer."""

    async def story() -> None:
        bench = Bench.new()
        lost_at = await hold(bench, bench.lease(), 2 * LEASE_CAP_S)
        assert lost_at
        assert LEASE_CAP_S - LEASE_S < lost_at < LEASE_CAP_S
        assert bench.told("lease-capped") == 1

    run(story())


def test_a_lease_that_somebody_else_has_is_lost_at_once() -> None:
    """The next heartbeat finds out, and the body ends with it."""

    async def story() -> None:
        bench = Bench.new()
        message = bench.take()
        lease = Lease(bench.queue, bench.clock, message, lease_s=LEASE_S, received=bench.clock.monotonic())
        bench.queue.release(message.receipt)
        bench.receive()
        lost_at = await hold(bench, lease, LEASE_S)
        assert lost_at == lease.beat_s

    run(story())


@pytest.mark.parametrize(("lease_s", "wait_s"), [(120, 20), (60, 15), (8, 2), (5, 1), (4, 1)])
def test_a_poll_is_never_longer_than_a_heartbeat(lease_s: float, wait_s: int) -> None:
    """For the lease may have begun when the poll did."""

    async def story() -> None:
        bench = Bench.new()
        bench.twin.answer_s = 1
        settings = WorkerSettings(lease_s=lease_s, idle_exit_s=100, imds_url="")
        await Worker(idle_organs(bench), settings).work()
        assert set(bench.line.polls) <= set(range(1, wait_s + 1))
        assert bench.line.polls[0] == wait_s
        assert bench.clock.monotonic() == pytest.approx(100, abs=1)

    run(story())


class NoWorkloads:
    """Starts nothing, for no job comes."""

    async def start(self, job: Job, folder: Path, *, report: Report, resume: bool) -> Running:
        """Start nothing."""
        raise NotImplementedError


def idle_organs(bench: Bench, store: Store | Any = None) -> Organs:
    """Return what a worker without jobs needs."""
    return Organs(
        queue=bench.queue,
        store=store,
        clock=bench.clock,
        workloads=NoWorkloads(),
        node=Node("", bench.clock, bench.report),
        report=bench.report,
        holder=Holder("worker", "machine"),
        stop=asyncio.Event(),
    )


@pytest.mark.parametrize(("age_days", "renewed"), [(11.9, False), (12.1, True)])
def test_a_message_of_twelve_days_is_renewed(age_days: float, renewed: bool) -> None:
    """A copy with all that it carries takes its place at the end of the queue, before retention would eat it."""

    async def story() -> None:
        bench = Bench.new()
        bench.send()
        await bench.clock.sleep(age_days * DAY_S)
        old = bench.receive()
        assert await dead_letter.renew(bench.queue, bench.clock, bench.report, message=old) is renewed
        assert bench.visible() == int(renewed)
        await bench.clock.sleep(LEASE_S)
        only = bench.receive()
        assert (only.message_id != old.message_id) is renewed
        assert (only.body, only.group, only.attributes) == ('{"job_id": "job"}', "job", {"by": "hand"})
        assert await dead_letter.renew(bench.queue, bench.clock, bench.report, message=only) is False
        assert bench.visible() == 0

    run(story())


def test_a_renewal_that_was_cut_off_leaves_one_message() -> None:
    """The copy was sent and the worker died; who finishes it sends no second one and deletes the old."""

    async def story() -> None:
        bench = Bench.new()
        bench.send()
        await bench.clock.sleep(13 * DAY_S)
        old = bench.receive()
        await cut_off(bench, old, after_calls=1)
        await bench.clock.sleep(LEASE_S)
        assert bench.visible() == 2
        again = bench.receive()
        assert again.message_id == old.message_id
        assert await dead_letter.renew(bench.queue, bench.clock, bench.report, message=again)
        await bench.clock.sleep(LEASE_S)
        assert bench.visible() == 1

    run(story())


async def cut_off(bench: Bench, message: Message, *, after_calls: int) -> None:
    """Begin to renew a message and vanish after so many calls."""
    made: list[Callable[..., Any]] = []

    class Mortal(VirtualClock):
        async def run(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if len(made) == after_calls:
                raise KeyboardInterrupt
            made.append(call)
            return await super().run(call, *args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        await dead_letter.renew(bench.queue, Mortal(Meter()), bench.report, message=message)
