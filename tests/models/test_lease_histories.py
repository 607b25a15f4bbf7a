"""Histories of one lease: time that passes, a node that freezes, a queue that is silent, slow or loses its answers."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lrtkit.wire.errors import LeaseLost, Unavailable
from lrtkit.wire.record import Holder
from lrtkit.wire.sqs import LEASE_CAP_S, Message, Outgoing, SqsQueue
from tests.simulation.clock import VirtualClock
from tests.simulation.cloud import CloudTwin
from tests.simulation.loop import Loop, run
from worker.lease import BEATS, Lease
from worker.report import Report

LEASE_S = 120.0
TICK_S = 5.0

SECONDS = st.one_of(st.floats(0, 40), st.floats(0, 3 * LEASE_S), st.floats(0, 5 * 3600))
EVENTS = st.one_of(
    st.tuples(st.just("pass"), SECONDS),
    st.tuples(st.just("freeze"), SECONDS),
    st.tuples(st.just("answer"), st.floats(0, LEASE_S / BEATS) | st.floats(0, 200)),
    st.tuples(st.sampled_from(["down", "deaf", "up"]), st.just(0.0)),
)


@dataclass
class Flaky:
    """A queue that can be away, before a call has its effect or after it."""

    queue: SqsQueue
    mode: str = "up"

    def extend(self, receipt: str, lease_s: float) -> None:
        """Extend, unless the call or its answer is lost."""
        self._call(self.queue.extend, receipt, lease_s)

    def delete(self, receipt: str) -> None:
        """Delete, unless the call or its answer is lost."""
        self._call(self.queue.delete, receipt)

    def release(self, receipt: str, delay_s: float = 0) -> None:
        """Release, unless the call or its answer is lost."""
        self._call(self.queue.release, receipt, delay_s)

    def _call(self, call: Callable[..., Any], *args: Any) -> None:
        if self.mode == "down":
            raise Unavailable("connection refused")
        call(*args)
        if self.mode == "deaf":
            raise Unavailable("no answer")


@dataclass
class Scene:
    """A lease, the queue that gave it, and somebody else who would take the job."""

    cloud: CloudTwin = field(default_factory=CloudTwin)
    began: float = 0.0
    taken_at: float | None = None
    """When somebody else had the job."""

    def take(self) -> Message | None:
        """Receive, as anybody can."""
        return self.cloud.queue.receive(lease_s=LEASE_S, wait_s=0, attempt_id=str(self.cloud.sqs.calls.total()))

    def tempt(self, lease: Lease) -> None:
        """Let somebody else ask for a job, and see that this lease is not believed in when there is one."""
        taken = self.take()
        self.cloud.meter.read()  # what that took is none of the lease's time
        if taken:
            self.taken_at = asyncio.get_running_loop().time()
        assert self.taken_at is None or lease.left_s <= 0, "two believe that they hold the job"


async def history(events: list[tuple[str, float]]) -> tuple[float | None, float]:
    """Hold a lease through the events; return when it was lost, if it was, and when all was over."""
    scene = Scene()
    scene.cloud.queue.send(Outgoing('{"job_id": "job"}', "job", "once"))
    message = scene.take()
    assert message
    clock = VirtualClock(scene.cloud.meter)
    queue = Flaky(scene.cloud.queue)
    lease = Lease(queue, clock, message, lease_s=LEASE_S, received=clock.monotonic())  # type: ignore[arg-type]
    lost_at = None
    try:
        async with lease.held(Report(clock, Holder("worker", "machine"), io.StringIO())):
            for kind, seconds in events:
                await happen(kind, seconds, scene=scene, queue=queue, lease=lease)
    except* LeaseLost:
        lost_at = clock.monotonic()
        assert lease.left_s <= 0 or scene.taken_at is not None or lost_at >= LEASE_CAP_S - LEASE_S
    scene.tempt(lease)
    return lost_at, clock.monotonic()


async def happen(kind: str, seconds: float, *, scene: Scene, queue: Flaky, lease: Lease) -> None:
    """Let one event happen, with somebody else who asks for the job all the time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    end = loop.now + seconds
    if kind in {"down", "deaf", "up"}:
        queue.mode = kind
    if kind == "answer":
        scene.cloud.sqs.answer_s = seconds
    while kind == "pass" and loop.now < end:
        await asyncio.sleep(min(TICK_S, max(0.001, end - loop.now)))
        scene.tempt(lease)
        assert lease.left_s > -TICK_S, "the work goes on without a lease"
    while kind == "freeze" and loop.now < end:  # nothing of this node goes on, and the others do
        loop.now = min(end, loop.now + 20)
        scene.tempt(lease)


SILENCE = [("down", 0.0), ("pass", 3 * LEASE_S)]


@settings(max_examples=100)
@given(st.lists(EVENTS, max_size=10).flatmap(lambda events: st.sampled_from([events, events + SILENCE])))
@example([("answer", 25.0), ("pass", 200.0), *SILENCE])
def test_no_two_believe_in_one_lease(events: list[tuple[str, float]]) -> None:
    """Whatever happens, a worker has stopped believing in its lease before the queue gives the job to somebody else."""
    lost_at, ended_at = run(history(events))
    undisturbed = all(kind in {"pass", "up"} for kind, _ in events)
    if undisturbed and ended_at < LEASE_CAP_S - LEASE_S:
        assert lost_at is None, "a lease was lost although nothing had happened"


def test_the_cap_is_kept() -> None:
    """After twelve hours nobody believes in the lease, whatever the heartbeat does."""
    lost_at, _ = run(history([("pass", 2.0 * LEASE_CAP_S)]))
    assert lost_at
    assert LEASE_CAP_S - LEASE_S <= lost_at <= LEASE_CAP_S
