"""Kinds of day: when jobs come, and how long they take."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lrtkit.scaling import Snapshot, Step
from lrtkit.wire.errors import BadInput

HOUR_S = 3600.0


@dataclass(frozen=True)
class Day:
    """The jobs of a day: when each comes (seconds from its beginning) and how many seconds of work it is."""

    name: str
    jobs: tuple[tuple[float, float], ...]

    @classmethod
    def burst(cls, seed: int = 0) -> Day:
        """Return a day with two submissions of many jobs of half an hour to an hour and a half."""
        rng = random.Random(seed)
        sent = [9 * HOUR_S] * 150 + [15 * HOUR_S] * 100
        return cls("burst", tuple((at, rng.uniform(0.5, 1.5) * HOUR_S) for at in sent))

    @classmethod
    def steady(cls, seed: int = 0) -> Day:
        """Return a day with a job of two hours or so every five minutes."""
        rng = random.Random(seed)
        return cls("steady", tuple((at, rng.uniform(1.5, 2.5) * HOUR_S) for at in _poisson(rng, per_hour=12)))

    @classmethod
    def trickle(cls, seed: int = 0) -> Day:
        """Return a day with two jobs an hour, of one hour to four."""
        rng = random.Random(seed)
        return cls("trickle", tuple((at, rng.uniform(1, 4) * HOUR_S) for at in _poisson(rng, per_hour=2)))

    @classmethod
    def drain(cls, seed: int = 0) -> Day:
        """Return a day that begins with a hundred jobs of five hours or so, and has no others."""
        rng = random.Random(seed)
        return cls("drain", tuple((0.0, rng.uniform(4, 6) * HOUR_S) for _ in range(100)))

    @classmethod
    def kinds(cls, seed: int = 0) -> list[Day]:
        """Return one day of each kind."""
        return [kind(seed) for kind in (cls.burst, cls.steady, cls.trickle, cls.drain)]

    @classmethod
    def recorded(cls, history: Sequence[Mapping[str, Any]], *, job_s: float, name: str = "recorded") -> Day:
        """Return the day that an autoscaler's ``history`` tells of, with jobs of ``job_s``.

        Where the queue has grown, jobs came. How many there were in all follows from how long jobs were in
        flight; those that came unseen, while others ended, are spread over that time. Raises BadInput without
        two readings.
        """
        seen = [step.snapshot for step in Step.all_of(history)]
        if len(seen) < 2:
            raise BadInput(f"a day needs two readings at least, not {len(seen)}. Try: later, when it has stepped more")
        return cls(name, tuple((at - seen[0].at, job_s) for at in _whole(_arrivals(seen, job_s))))


def _poisson(rng: random.Random, *, per_hour: float) -> Iterator[float]:
    at = rng.expovariate(per_hour / HOUR_S)
    while at < 24 * HOUR_S:
        yield at
        at += rng.expovariate(per_hour / HOUR_S)


def _arrivals(seen: Sequence[Snapshot], job_s: float) -> list[tuple[float, float]]:
    """Return how many jobs came by each reading, in fractions."""
    grown = [max(0, now.open_jobs - before.open_jobs) for before, now in pairwise([_NOTHING, *seen])]
    worked = [0.0, *(before.in_flight * (now.at - before.at) / job_s for before, now in pairwise(seen))]
    half_done = seen[-1].open_jobs - seen[-1].in_flight / 2
    unseen = max(0.0, sum(worked) + half_done - sum(grown))
    share = unseen / sum(worked) if sum(worked) else 0.0
    return [(each.at, more + share * done) for each, more, done in zip(seen, grown, worked, strict=True)]


_NOTHING = Snapshot(0, 0, 0, 0, "stopped")


def _whole(came: Sequence[tuple[float, float]]) -> Iterator[float]:
    """Return a time for each whole job, carrying over what is left."""
    carried = 0.5
    for at, count in came:
        carried += count
        yield from [at] * int(carried)
        carried -= int(carried)
