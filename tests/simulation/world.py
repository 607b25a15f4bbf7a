"""The world of one history: services, network, container group, researcher, autoscaler, until all jobs have ended."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenlet import getcurrent

from lrtkit.autoscaler import Autoscaler
from lrtkit.connection import Cloud
from lrtkit.scaling import Policy
from lrtkit.wire import keys
from lrtkit.wire.errors import LrtError
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings
from lrtkit.wire.sqs import SqsQueue
from tests.simulation import machine as machines
from tests.simulation.clock import START
from tests.simulation.cloud import BUCKET, QUEUE, CloudTwin
from tests.simulation.faults import Faults
from tests.simulation.history import History
from tests.simulation.machine import Loop, Machine
from tests.simulation.network import Line
from tests.simulation.replica import Replica
from tests.simulation.researcher import NAME, Researcher
from tests.simulation.salad import GROUP, SaladTwin
from tests.simulation.scenario import Scenario
from tests.simulation.sqs_account import ARN

SCALED_EVERY_S = 300.0
LOOKED_EVERY_S = 600.0
FASTEST_DISK = Path("/dev/shm")


@dataclass(frozen=True)
class Outcome:
    """A history and what is left when it has ended: objects by key, and the messages of both queues."""

    scenario: Scenario
    history: History
    objects: dict[str, bytes]
    queued: int
    dead: list[dict[str, Any]]
    replicas: int
    ended: bool
    seconds: float
    worked_s: float
    """Seconds for which machines of workers were running, together."""


def simulate(scenario: Scenario, *, is_verbose: bool = False) -> Outcome:
    """Let a history happen."""
    random.seed(scenario.seed)
    with _quiet(), _work_folders():
        return machines.run(lambda loop: World(loop, scenario, is_verbose).run())


class World:
    """Everything there is."""

    def __init__(self, loop: Loop, scenario: Scenario, is_verbose: bool) -> None:
        self.loop = loop
        self.scenario = scenario
        self.rng = random.Random(f"{scenario.seed} world")
        self.history = History(loop.time, is_verbose=is_verbose)
        self.faults = Faults(scenario.weather, random.Random(f"{scenario.seed} faults"))
        self.cloud = CloudTwin(now=lambda: START + loop.time(), seed=scenario.seed)
        if scenario.max_receives:
            policy = {"deadLetterTargetArn": f"{ARN}dead.fifo", "maxReceiveCount": scenario.max_receives}
            self.cloud.sqs.set_queue_attributes(QueueUrl=QUEUE.url, Attributes={"RedrivePolicy": json.dumps(policy)})
        self.salad = SaladTwin(loop, self._launch, hazard=scenario.hazard, rng=self.rng, history=self.history)
        self.researcher = Researcher(self._machine, self._cloud, list(scenario.jobs), self.history)
        self._workers: list[tuple[float, Machine]] = []

    async def run(self) -> Outcome:
        """Let everything happen until every job has ended and no replica is left, or far too much time has passed."""
        errands = asyncio.create_task(self.researcher.run(self.scenario.errands, doomed=self.faults.doom))
        scaling = asyncio.create_task(self._scale())
        ended = False
        while not ended and self.loop.time() < self.scenario.longest_s:
            await asyncio.sleep(LOOKED_EVERY_S)
            ended = self.researcher.is_finished and not self._open() and not self.salad.places
        self.history.is_over = True
        scaling.cancel()
        errands.cancel()
        return self._outcome(ended)

    def _machine(self, name: str) -> Machine:
        return Machine(name, self.loop, self.history)

    def _cloud(self, machine: Machine) -> Cloud:
        """Return the cloud as a machine reaches it."""

        def connect(service: str, *_: Any, **__: Any) -> Line:
            client = self.cloud.connect(service)
            return Line(client, service, machine, faults=self.faults, history=self.history, meter=self.cloud.meter)

        settings = CloudSettings(QUEUE, BUCKET)
        return Cloud(SqsQueue(QUEUE, connect=connect), S3Store(BUCKET, connect=connect), settings, "simulation")

    def _launch(self, name: str) -> Replica:
        """Start a worker on a new machine, whose clock may be wrong one day."""
        machine = self._machine(name)
        if self.rng.random() < self.scenario.clocks_wrong:
            self.loop.call_later(self.rng.uniform(0, 3 * 3600), self._set_wrong, machine)
        cloud = self._cloud(machine)
        self._workers.append((self.loop.time(), machine))
        return Replica(
            machine,
            cloud.queue,
            cloud.store,
            settings=self.scenario.settings,
            history=self.history,
            rng=self.rng,
        )

    def _set_wrong(self, machine: Machine) -> None:
        if self.loop.time() < self.scenario.weather.ends:
            machine.clock_error_s = self.rng.choice((-1, 1)) * self.rng.uniform(2, 6 * 3600)
            self.history.fault(machine.name, "clock jump", seconds=machine.clock_error_s)

    async def _scale(self) -> None:
        """Run the autoscaler every five minutes, as its schedule does, each time on a machine that knows nothing."""
        number = 0
        while True:
            number += 1
            machine = self._machine(f"scaler-{number}")
            machine.start(self._step(machine))
            await asyncio.sleep(SCALED_EVERY_S)

    async def _step(self, machine: Machine) -> None:
        cloud = self._cloud(machine)
        policy = Policy(0, self.scenario.max_replicas)
        parts: Any = (cloud.queue, cloud.store, self.salad)
        scaler = Autoscaler(*parts, group=GROUP, policy=policy, sleep=lambda seconds: getcurrent().wait(seconds))
        try:
            step = await machine.run(scaler.step, now=machine.now)
        except LrtError as error:
            self.history(machine.name, "step failed", error=f"{type(error).__name__}: {error}")
        else:
            self.history(machine.name, "step", decision=str(step))

    def _objects(self) -> dict[str, bytes]:
        return {key: thing.body for key, thing in self.cloud.s3._buckets[BUCKET.name].things.items()}

    def _open(self) -> bool:
        """Tell whether a job has not ended, by what lies in bucket and queue."""
        if self.cloud.sqs._queues["jobs.fifo"].letters:
            return True
        states = self._states()
        return any(
            states.get(f"{NAME}/{job['name']}") not in {"done", "failed", "cancelled"} for job in self.scenario.jobs
        )

    def _states(self) -> dict[str, str]:
        things = self.cloud.s3._buckets[BUCKET.name].things
        found = {}
        for job in self.scenario.jobs:
            job_id = f"{NAME}/{job['name']}"
            thing = things.get(keys.record(job_id))
            if thing:
                found[job_id] = json.loads(thing.body)["_lrt"]["state"]
        return found

    def _outcome(self, ended: bool) -> Outcome:
        dead = self.cloud.sqs._queues["dead.fifo"].letters
        now = self.loop.time()
        return Outcome(
            scenario=self.scenario,
            history=self.history,
            objects=self._objects(),
            queued=len(self.cloud.sqs._queues["jobs.fifo"].letters),
            dead=[{"body": each.body, "attributes": each.attributes} for each in dead.values()],
            replicas=len(self.salad.places),
            ended=ended,
            seconds=now,
            worked_s=sum((machine.lost_at or now) - began for began, machine in self._workers),
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the kit's warnings to itself, which are for people."""
    logger = logging.getLogger("lrtkit")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def _work_folders() -> Iterator[None]:
    """Let the workers' folders lie in memory, and go with the history."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(dir=FASTEST_DISK if FASTEST_DISK.is_dir() else None) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
