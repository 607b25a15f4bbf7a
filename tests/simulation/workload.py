"""A twin of a workload that counts steps of equal length, in virtual time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path

from lrtkit.wire.job import Job
from tests.simulation.at_work import AtWork
from worker.report import Report
from worker.running import Ended, Finished, Fresh, Interrupted

STATE_NAME = "checkpoint.json"


@dataclass(frozen=True)
class Pace:
    """What a workload takes: seconds to start, for a step, and standing still for a checkpoint; bytes of its file."""

    start_s: float = 1.0
    step_s: float = 1.0
    stall_s: float = 0.0
    file_size: int = 0


class WorkloadTwin:
    """Starts counting; what is at work dies with ``kill_all`` when the node does."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._live: list[Counting] = []
        self.started = asyncio.Event()
        """Set once anything has been started here."""

    async def start(self, job: Job, folder: Path, *, report: Report, resume: bool) -> Counting:
        """Start to count, from the checkpoint in ``resume`` if so told."""
        report("counting", resume=resume)
        state = json.loads((folder / "resume" / STATE_NAME).read_bytes()) if resume else {"step": 0}
        counting = Counting(self._pace, folder, step=state["step"], steps=job.steps or 0)
        self.started.set()
        self._live = [each for each in self._live if not each.has_ended] + [counting]
        return counting

    def kill_all(self) -> None:
        """End whatever is at work."""
        for counting in self._live:
            counting.kill()


class Counting(AtWork):
    """A count at work: it leaps from one wish to the next, so that steps that nobody sees take no effort."""

    def __init__(self, pace: Pace, folder: Path, *, step: int, steps: int) -> None:
        super().__init__()
        self._pace = pace
        self._folder = folder
        self._step = step
        self._steps = steps
        self._begin(self._count())

    async def _count(self) -> Ended:
        await asyncio.sleep(self._pace.start_s)
        while self._step < self._steps:
            await self._leap()
            if self._wanted.is_set():
                await self._save()
            if self._stopping:
                return Interrupted()
        return Finished(self._step)

    async def _leap(self) -> None:
        """Go on to the end of the step in which something is wanted, or to the last."""
        loop = asyncio.get_running_loop()
        began, step_s = loop.time(), self._pace.step_s
        try:
            async with asyncio.timeout((self._steps - self._step) * step_s):
                await self._wanted.wait()
        except TimeoutError:
            self._step = self._steps
            return
        steps = int((loop.time() - began) / step_s) + 1
        await asyncio.sleep(began + steps * step_s - loop.time())
        self._step += steps

    async def _save(self) -> None:
        self._wanted.clear()
        await asyncio.sleep(self._pace.stall_s)
        fresh = Fresh({"step": self._step}, {}, self._pace.stall_s)
        if self._pace.file_size:
            path = self._folder / f"weights-{self._step}"
            path.write_bytes(str(self._step).encode().ljust(self._pace.file_size))
            fresh = replace(fresh, files={"weights": path})
        self._give(fresh)
