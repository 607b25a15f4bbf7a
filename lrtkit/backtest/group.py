"""A container group and a queue, played: what happens is an event, and between two events nothing does."""

from __future__ import annotations

import functools
import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from lrtkit.backtest.days import Day
from lrtkit.backtest.world import World
from lrtkit.scaling import Snapshot


@dataclass
class Job:
    """A job, and how much of its work is still to do."""

    came: float
    left_s: float
    begun: float | None = None


@dataclass(eq=False)
class Replica:
    """A replica on its way (``ran_from`` is None), idle, or at work on a job."""

    ran_from: float | None = None
    job: Job | None = None
    works_from: float = 0.0
    gone: bool = False


@dataclass
class Tally:
    """What is counted on the way; seconds of running replicas and of idle ones among them."""

    ran_s: float = 0.0
    idle_s: float = 0.0
    waited_s: list[float] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    last_end: float = 0.0
    busy_kills: int = 0
    interruptions: int = 0


class PlayedGroup:
    """The queue and the group of one day."""

    def __init__(self, day: Day, world: World, *, deletion_costs: bool) -> None:
        self.now = 0.0
        self.tally = Tally()
        self.wanted = 0
        self.is_started = False
        self.replicas: list[Replica] = []
        self.to_come = len(day.jobs)
        self._world = world
        self._costs = deletion_costs
        self._starts, self._ends, self._choices = (random.Random(f"{world.seed}-{each}") for each in range(3))
        self._waiting: deque[Job] = deque()
        self._hidden = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        for came, work_s in day.jobs:
            self._at(came, functools.partial(self._arrive, Job(came, work_s)))

    @property
    def has_ended(self) -> bool:
        """Whether every job is done and no replica is left."""
        return not (self.to_come or self._waiting or self._hidden or self.replicas)

    def advance(self, to: float) -> None:
        """Let happen whatever happens until then."""
        while self._events and self._events[0][0] <= to:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = to

    def seen(self) -> Snapshot:
        """Return the reading that an autoscaler would make now."""
        running = [each for each in self.replicas if each.ran_from is not None]
        busy = sum(each.job is not None for each in running)
        return Snapshot(
            waiting=len(self._waiting),
            in_flight=busy + self._hidden,
            delayed=0,
            replicas=self.wanted,
            status="running" if self.is_started else "stopped",
            at=self.now,
            running=len(running),
            coming=len(self.replicas) - len(running),
            at_work=busy if self._costs else 0,
            lease_s=self._world.lease_s,
            usd_per_hour=self._world.usd_per_hour,
        )

    def start(self, replicas: int) -> None:
        """Start with so many, or go to so many."""
        self.wanted, self.is_started = replicas, True
        for _ in range(replicas - len(self.replicas)):
            self._add()
        for each in sorted(self.replicas, key=self._worth)[: max(0, len(self.replicas) - replicas)]:
            self._remove(each)

    def stop(self) -> None:
        """Take all replicas away."""
        self.is_started = False
        for each in list(self.replicas):
            self._remove(each)

    def _worth(self, replica: Replica) -> tuple[bool, float]:
        """Sort by what SaladCloud removes first: what does not run, then by deletion cost, else any."""
        if replica.ran_from is None:
            return False, 0.0
        return True, self._unsaved_s(replica) + bool(replica.job) if self._costs else self._choices.random()

    def _unsaved_s(self, replica: Replica) -> float:
        worked_s = max(0.0, self.now - replica.works_from) if replica.job else 0.0
        return worked_s % self._world.checkpoint_s

    def _add(self) -> None:
        replica = Replica()
        self.replicas.append(replica)
        self._at(self.now + self._world.startup_s(self._starts), lambda: self._run(replica))

    def _run(self, replica: Replica) -> None:
        if replica.gone:
            return
        replica.ran_from = self.now
        self._at(self.now + self._world.uninterrupted_s(self._ends), lambda: self._interrupt(replica))
        self._take(replica)

    def _interrupt(self, replica: Replica) -> None:
        """The node is gone; SaladCloud looks for another one."""
        if not replica.gone:
            self.tally.interruptions += 1
            self._lose(replica)
            self._add()

    def _remove(self, replica: Replica) -> None:
        self.tally.busy_kills += replica.job is not None
        self._lose(replica)

    def _lose(self, replica: Replica) -> None:
        """End a replica; its job is seen again after the lease, from its last checkpoint."""
        replica.gone = True
        self.replicas.remove(replica)
        if replica.ran_from is not None:
            self.tally.ran_s += self.now - replica.ran_from
        job = replica.job
        if job is None:
            self._count_idle(replica)
            return
        worked_s = max(0.0, self.now - replica.works_from)
        job.left_s -= worked_s - self._unsaved_s(replica)
        self._hidden += 1
        self._at(self.now + self._world.lease_s, lambda: self._return(job))

    def _count_idle(self, replica: Replica) -> None:
        if replica.ran_from is not None:
            self.tally.idle_s += self.now - max(replica.works_from, replica.ran_from)

    def _arrive(self, job: Job) -> None:
        self.to_come -= 1
        self._queue(job)

    def _return(self, job: Job) -> None:
        self._hidden -= 1
        self._queue(job)

    def _queue(self, job: Job) -> None:
        self._waiting.append(job)
        idle = next((each for each in self.replicas if each.ran_from is not None and each.job is None), None)
        if idle:
            self._take(idle)

    def _take(self, replica: Replica) -> None:
        if not self._waiting:
            replica.works_from = self.now  # from here on it is idle
            return
        self._count_idle(replica)
        job = self._waiting.popleft()
        if job.begun is None:
            job.begun = self.now
            self.tally.waited_s.append(self.now - job.came)
        replica.job, replica.works_from = job, self.now + self._world.load_s
        self._at(replica.works_from + job.left_s, lambda: self._finish(replica, job))

    def _finish(self, replica: Replica, job: Job) -> None:
        if replica.gone or replica.job is not job:
            return
        self.tally.took_s.append(self.now - job.came)
        self.tally.last_end = self.now
        replica.job, replica.works_from = None, self.now
        self._take(replica)

    def _at(self, when: float, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, event))
