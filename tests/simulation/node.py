"""A node: the real worker on twins of everything around it, until the node vanishes."""

from __future__ import annotations

import asyncio
import io

from lrtkit.wire.record import Holder
from lrtkit.wire.settings import WorkerSettings
from tests.simulation.clock import VirtualClock
from tests.simulation.cloud import CloudTwin
from tests.simulation.workload import Pace, WorkloadTwin
from worker.loop import Worker
from worker.node import Node
from worker.organs import Organs
from worker.report import Report


class Log(io.StringIO):
    """A log that nobody reads."""

    def write(self, text: str) -> int:
        """Forget a text."""
        return len(text)


class NodeTwin:
    """One worker with its own clock; the cloud is shared by all."""

    def __init__(self, name: str, cloud: CloudTwin, *, settings: WorkerSettings, pace: Pace) -> None:
        self._clock = VirtualClock(cloud.meter)
        holder = Holder(name, name)
        report = Report(self._clock, holder, Log())
        self._workloads = WorkloadTwin(pace)
        organs = Organs(
            queue=cloud.queue,
            store=cloud.store,
            clock=self._clock,
            workloads=self._workloads,
            node=Node("", self._clock, report),
            report=report,
            holder=holder,
            stop=asyncio.Event(),
        )
        self._work = asyncio.create_task(Worker(organs, settings).work())

    async def is_busy(self) -> None:
        """Wait until it has started its first workload."""
        await self._workloads.started.wait()

    async def has_stopped(self) -> None:
        """Wait until the worker has come to its end."""
        await self._work

    def vanish(self) -> None:
        """Let the node be gone, in the middle of whatever it does."""
        self._clock.cut()
        self._workloads.kill_all()
        self._work.cancel()
