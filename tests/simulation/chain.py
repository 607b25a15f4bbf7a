"""The simulation's workload: a chain of numbers in which every step counts, by its place and its job.

The result of a job differs from ``answer`` if any of its steps was left out, made twice, or made
from another job's state.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtkit.wire.job import Job
from lrtkit.wire.record import Failure
from tests.simulation.at_work import AtWork
from tests.simulation.history import History
from tests.simulation.machine import Machine
from worker.report import Report
from worker.running import Ended, Failed, Finished, Fresh, Interrupted

STATE_NAME = "checkpoint.json"
FILE_NAME = "chain"
LONG_RESULT = 4_000
"""How many numbers are too long for a record."""

PRIME = 2**61 - 1
FACTOR = 437_799_614_237_992_725


def link(value: int, step: int, seed: int) -> int:
    """Return the value after a step."""
    return (value * FACTOR + step * 2_654_435_761 + seed) % PRIME


def answer(fields: Mapping[str, Any]) -> Any:
    """Return the result of a job that nothing interrupts."""
    value = fields["seed"]
    for step in range(1, fields["steps"] + 1):
        value = link(value, step, fields["seed"])
    return result(fields, value)


def result(fields: Mapping[str, Any], value: int) -> Any:
    """Return what a job gives for the last value of its chain."""
    if fields.get("kind") == "none":
        return None
    return [value] * LONG_RESULT if fields.get("long") else value


@dataclass
class Chains:
    """Starts chains on a machine; what is at work ends with the machine."""

    machine: Machine
    history: History
    rng: random.Random

    async def start(self, job: Job, folder: Path, *, report: Report, resume: bool) -> Chain:  # noqa: ARG002
        """Start a chain, from the checkpoint in ``resume`` if so told."""
        state = {"step": 0, "value": job.fields["seed"]}
        if resume:
            state = json.loads((folder / "resume" / STATE_NAME).read_bytes())
            if job.fields.get("files"):  # whose value lies in a file
                state["value"] = int((folder / "resume" / FILE_NAME).read_bytes().split(b"|")[0])
        return Chain(job, state["step"], state["value"], folder, self)


class Chain(AtWork):
    """A chain at work: it leaps from one wish to the next, so that steps that nobody sees take no effort."""

    def __init__(self, job: Job, step: int, value: int, folder: Path, place: Chains) -> None:
        super().__init__()
        self._job = job
        self._fields = job.fields
        self._step = step
        self._value = value
        self._folder = folder
        self._machine = place.machine
        self._history = place.history
        self._rng = place.rng
        self._tell("starts")
        self._begin(self._run())

    async def _run(self) -> Ended:
        try:
            ended = await self._chain()
        finally:
            self._tell("ends")
        if isinstance(ended, Failed):
            self._tell("fails", type=ended.failure.type)
        return ended

    async def _chain(self) -> Ended:
        if self._fields.get("kind") == "invalid":
            return Failed(Failure("InvalidJob", "this job can never run"), hopeless=True)
        steps = self._fields["steps"]
        while self._step < steps:
            if self._fields.get("kind") == "idle":  # stops by itself, and gets nowhere
                await asyncio.sleep(self._fields["step_s"])
                return Interrupted()
            await self._leap(steps)
            if await self._breaks():
                return Failed(Failure("RuntimeError", f"step {self._step} does not work"))
            if self._wanted.is_set() and self._step < steps:
                await self._save()
            if self._stopping and self._step < steps:
                return Interrupted()
        return Finished(result(self._fields, self._value))

    async def _leap(self, steps: int) -> None:
        """Go on to the end of the step in which something is wanted, or to where the chain ends or breaks."""
        loop, step_s = self._machine.loop, self._fields["step_s"]
        began = loop.now
        goal = min([steps, *(each for each in self._fields.get("breaks", ()) if each > self._step)])
        try:
            async with asyncio.timeout((goal - self._step) * step_s):
                await self._wanted.wait()
        except TimeoutError:
            self._go(goal)
            return
        made = min(goal - self._step, int((loop.now - began) / step_s) + 1)
        await asyncio.sleep(max(0.0, began + made * step_s - loop.now))
        self._go(self._step + made)

    def _go(self, goal: int) -> None:
        for step in range(self._step + 1, goal + 1):
            self._value = link(self._value, step, self._fields["seed"])
        self._step = goal

    async def _breaks(self) -> bool:
        """Tell whether the step that was just made fails, or takes the whole machine along."""
        if self._step not in self._fields.get("breaks", ()):
            return False
        if self._fields["kind"] == "deadly":
            self._history.fault(self._machine.name, "silent end", job=self._job.job_id)
            self._machine.lose()
            await asyncio.Event().wait()
        return self._fields["kind"] == "bad" or self._rng.random() < 0.5

    async def _save(self) -> None:
        self._wanted.clear()
        state: dict[str, Any] = {"step": self._step}
        files = {}
        if self._fields.get("files"):
            path = self._folder / f"{FILE_NAME}-{self._step}"
            path.write_bytes(f"{self._value}|{self._step}|{self._fields['seed']}".encode())
            files = {FILE_NAME: path}
        else:
            state["value"] = self._value
        self._give(Fresh(state, files))
        self._tell("checkpoint")

    def _tell(self, what: str, **more: Any) -> None:
        self._history(self._machine.name, what, job=self._job.job_id, step=self._step, **more)
