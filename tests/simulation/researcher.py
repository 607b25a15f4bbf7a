"""The researcher: the real ``Experiment``, used from a notebook whose kernel may die."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.wire import ledger
from lrtkit.wire.errors import LrtError
from lrtkit.wire.job import Job
from lrtkit.wire.record import State
from lrtkit.wire.sqs import Outgoing, once
from tests.simulation.history import History
from tests.simulation.machine import Machine
from tests.simulation.scenario import Errand

NAME = "sim"
TRIES = 200
"""More than all weather lasts: a researcher who gave up half-way would leave to nobody what a second try is for."""

PAUSE_S = 1200.0


class Researcher:
    """Runs errands one after the other, each on a machine of its own, and again where it failed."""

    def __init__(
        self,
        machine: Callable[[str], Machine],
        cloud: Callable[[Machine], Cloud],
        jobs: Sequence[Any],
        history: History,
    ) -> None:
        self._machine = machine
        self._cloud = cloud
        self._jobs = jobs
        self._history = history
        self._names = itertools.count(1)
        self._chosen: list[str] = []
        self.is_finished = False

    async def run(self, errands: Sequence[Errand], *, doomed: Callable[[str, int], None]) -> None:
        """Run the errands, each at its time; ``doomed`` is told which machine dies at which call."""
        for errand in errands:
            await asyncio.sleep(errand.at - asyncio.get_running_loop().time())
            await self._run(errand, doomed)
        self.is_finished = True

    async def _run(self, errand: Errand, doomed: Callable[[str, int], None]) -> None:
        for number in range(TRIES):
            machine = self._machine(f"notebook-{next(self._names)}")
            if errand.dies_at_call and not number:
                doomed(machine.name, errand.dies_at_call)
            if await _unless_lost(machine, self._try(machine, errand)):
                return
            await asyncio.sleep(PAUSE_S if not machine.is_lost else 60.0)

    async def _try(self, machine: Machine, errand: Errand) -> bool:
        """Do an errand; tell whether it was done."""
        experiment = Experiment(NAME, self._cloud(machine))
        try:
            outcome = await machine.run(partial(getattr(self, f"_{errand.what}"), experiment, errand.names))
        except LrtError as error:
            self._history(machine.name, "errand failed", errand=errand.what, error=f"{type(error).__name__}: {error}")
            return False
        except Exception as error:  # noqa: BLE001  (the cell is run again, and the checkers hear of it)
            self._history(machine.name, "crashed", error=repr(error))
            return False
        self._history(machine.name, f"errand {errand.what}", outcome=outcome)
        return True

    def _submit(self, experiment: Experiment, _: Sequence[str]) -> dict[str, str]:
        return dict(experiment.submit(self._jobs)["outcome"])

    def _cancel(self, experiment: Experiment, names: Sequence[str]) -> dict[str, str]:
        return dict(experiment.cancel(names)["outcome"])

    def _retry(self, experiment: Experiment, _: Sequence[str]) -> dict[str, str]:
        """Retry what has failed; after a crash the same jobs again, as the notebook's cell still names them."""
        status = experiment.status()
        failed = status.index[status["state"].isin(["failed", "cancelled"])]
        self._chosen = list(dict.fromkeys([*self._chosen, *failed]))
        done = set(status.index[status["state"] == "done"])
        chosen = [job_id for job_id in self._chosen if job_id not in done]
        return dict(experiment.retry(chosen)["outcome"]) if chosen else {}

    def _poison(self, experiment: Experiment, _: Sequence[str]) -> str:
        experiment.cloud.queue.send(Outgoing("this is no job", "poison", "poison"))
        return "sent"

    def _reuse(self, experiment: Experiment, names: Sequence[str]) -> str:
        """Send another job under the id of the first of some jobs that is at work, in a group of its own."""
        for name in names:
            job_id = f"{NAME}/{name}"
            record = ledger.read(experiment.cloud.store, job_id).record
            if record and record.state is State.RUNNING:
                job = next(job for job in self._jobs if job["name"] == name)
                fields = {field: value for field, value in job.items() if field != "notes"}
                other = Job({**fields, "job_id": job_id, "seed": job["seed"] + 1})
                experiment.cloud.queue.send(Outgoing(other.body, f"{job_id}-again", once(job_id, "again")))
                return job_id
        return "no job runs"


async def _unless_lost(machine: Machine, work: Any) -> bool:
    """Return what the work on a machine gives, or False where the machine is lost first."""
    lost = asyncio.Event()
    machine.on_lost = lost.set
    task, gone = machine.start(work), asyncio.create_task(lost.wait())
    await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    return task.result() if task.done() else False
