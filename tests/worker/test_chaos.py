"""Everything at once."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lrtkit.wire.record import Record, State
from tests.waiting import until
from tests.worker.cases import dice
from tests.worker.lab import LEASE_S, Lab, Started

JOBS = 30
WORKERS = 4
FAULTS = 25
SEED = 20261124


@dataclass
class Storm:
    """Makes a fault a second on four workers, each of which has a successor."""

    lab: Lab
    random: random.Random
    workers: list[Started] = field(default_factory=list)
    frozen: list[tuple[float, Started]] = field(default_factory=list)
    faults: int = 0
    next_at: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Start the workers."""
        self.workers = [self._worker() for _ in range(WORKERS)]

    def go_on(self) -> bool:
        """Make the next fault if it is due, and tell whether all are made and mended."""
        for thaw_at, worker in self.frozen:
            if time.monotonic() >= thaw_at:
                worker.signal(signal.SIGCONT)
        self.frozen = [each for each in self.frozen if time.monotonic() < each[0]]
        if self.faults < FAULTS and time.monotonic() >= self.next_at:
            self.faults += 1
            self.next_at += 1
            self.random.choice([self._vanish, self._stop, self._freeze])(self.random.randrange(WORKERS))
        return self.faults == FAULTS and not self.frozen

    def _worker(self) -> Started:
        return self.lab.worker("dice", grace_seconds=2)

    def _vanish(self, number: int) -> None:
        self.workers[number].vanish()
        self.frozen = [each for each in self.frozen if each[1] is not self.workers[number]]
        self.workers[number] = self._worker()

    def _stop(self, number: int) -> None:
        self.workers[number].signal(signal.SIGTERM)
        self.workers[number] = self._worker()

    def _freeze(self, number: int) -> None:
        self.workers[number].signal(signal.SIGSTOP)
        self.frozen.append((time.monotonic() + self.random.uniform(1, 2 * LEASE_S), self.workers[number]))


@dataclass
class Watch:
    """Looks at all records again and again, and sees that none goes back."""

    lab: Lab
    jobs: list[str]
    seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    def all_have_ended(self) -> bool:
        """Look once, and tell whether every job has."""
        records = [self._look(job_id) for job_id in self.jobs]
        return all(record and record.state.final for record in records)

    def _look(self, job_id: str) -> Record | None:
        record = self.lab.found(job_id)
        if record:
            now = (record.generation, (record.checkpoint and record.checkpoint.step) or 0)
            before = self.seen.get(job_id, (0, 0))
            assert now[0] >= before[0], f"the generation of {job_id} went back from {before} to {now}"
            assert now[1] >= before[1], f"the step of {job_id} went back from {before} to {now}"
            self.seen[job_id] = now
        return record


def test_whatever_happens_every_job_is_done_once_and_right(lab: Lab) -> None:
    """Nodes vanish, hang and are stopped; no generation, step or result goes wrong, and nothing is set aside."""
    jobs = {f"dice/{number}": {"seed": number, "steps": 25, "pause_s": 0.1} for number in range(JOBS)}
    for job_id, fields in jobs.items():
        lab.send(job_id, **fields)
    storm, watch = Storm(lab, random.Random(SEED)), Watch(lab, list(jobs))
    storm.begin()
    until(lambda: all([storm.go_on(), watch.all_have_ended()]), within_s=180)
    lab.drained()
    for job_id, fields in jobs.items():
        record = lab.record(job_id)
        assert record.state is State.DONE
        assert record.result == lab.result(job_id) == uninterrupted(fields)
        assert record.counts.failures == 0
        assert record.counts.attempts == record.generation == record.counts.interruptions + 1
        assert sum(len(worker.events("done", job_id=job_id)) for worker in lab.workers) <= 1
        for earlier, later in pairwise(record.attempts):
            assert later.generation == earlier.generation + 1
            assert (later.first_step or 0) >= (earlier.last_step or 0)
    assert lab.no_letters()
    assert sum(lab.record(job_id).counts.interruptions for job_id in jobs) > 0


def uninterrupted(fields: dict[str, Any]) -> int:
    """Return the result of a run to which nothing happens."""
    steps = dice({**fields, "pause_s": 0}, None)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return int(end.value)
