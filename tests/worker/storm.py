"""A fault a second: nodes that vanish, hang and are stopped, and a network that is cut."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.worker.lab import LEASE_S, Lab, Started
from tests.worker.proxy import Line

GRACE_S = 2


@dataclass
class Site:
    """Where some of the workers are: what leads from there to the queue and to the bucket can be cut."""

    queue: Line
    bucket: Line

    @property
    def env(self) -> dict[str, str]:
        """What leads a worker's calls over the lines."""
        return {"AWS_ENDPOINT_URL_SQS": self.queue.url, "R2_S3_ENDPOINT_URL": self.bucket.url}


@dataclass
class Storm:
    """Makes faults, one a second, on workers each of which has a successor, and mends what can be mended."""

    lab: Lab
    random: random.Random
    sites: list[Site]
    number: int
    total: int
    workers: list[Started] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    _mends: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    _next_at: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Start the workers."""
        self.workers = [self._worker(place) for place in range(self.number)]

    def go_on(self) -> bool:
        """Mend and make what is due, and tell whether all faults are made and mended."""
        now = time.monotonic()
        due = [mend for at, mend in self._mends if at <= now]
        self._mends = [each for each in self._mends if each[0] > now]
        for mend in due:
            mend()
        if self.made.total() < self.total and now >= self._next_at:
            self._next_at = now + 1
            fault = self.random.choice([self._vanish, self._stop, self._freeze, self._cut])
            self.made[fault.__name__.strip("_")] += 1
            fault(self.random.randrange(self.number))
        return self.made.total() == self.total and not self._mends

    def _worker(self, place: int) -> Started:
        site = self.sites[place % len(self.sites)]
        return self.lab.worker("walk", env=site.env, grace_seconds=GRACE_S)

    def _vanish(self, place: int) -> None:
        self.workers[place].vanish()
        self.workers[place] = self._worker(place)

    def _stop(self, place: int) -> None:
        self.workers[place].signal(signal.SIGTERM)
        self.workers[place] = self._worker(place)

    def _freeze(self, place: int) -> None:
        worker = self.workers[place]
        worker.signal(signal.SIGSTOP)
        self._later(self.random.uniform(1, 2 * LEASE_S), lambda: worker.signal(signal.SIGCONT))

    def _cut(self, place: int) -> None:
        site = self.sites[place % len(self.sites)]
        line = self.random.choice([site.queue, site.bucket])
        line.cut(silent=self.random.random() < 0.5)
        self._later(self.random.uniform(0.5, 1.5 * LEASE_S), line.mend)

    def _later(self, seconds: float, mend: Callable[[], object]) -> None:
        self._mends.append((time.monotonic() + seconds, mend))
