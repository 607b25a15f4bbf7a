"""The world that a policy acts in, as measured and published; times in seconds."""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass

_COMING = ((0.0, 180.0), (0.5, 600.0), (0.8, 1200.0), (0.9, 2400.0), (1.0, 4800.0))
"""The share of replicas that run after so many seconds: the first after 3 min, half within 10, 90 % within 40."""


@dataclass(frozen=True)
class World:
    """How SaladCloud and the workers behave; the defaults are published figures (November 2026).

    ``mtbi_h``: mean hours between interruptions of a running replica. ``checkpoint_s``: what is lost is at most
    the work since the last checkpoint. ``lease_s``: when the job of a lost replica is seen again. ``load_s``:
    from taking a job to working on it. ``tick_s``: from step to step. ``usd_per_hour``: a running replica.
    """

    mtbi_h: float = 92.0
    checkpoint_s: float = 600.0
    lease_s: float = 120.0
    load_s: float = 30.0
    tick_s: float = 300.0
    usd_per_hour: float = 0.16
    seed: int = 1

    def startup_s(self, rng: random.Random) -> float:
        """Return how long a replica takes to come."""
        share = rng.random()
        place = bisect.bisect(_COMING, (share, 0.0), hi=len(_COMING) - 1)
        (low, at_low), (high, at_high) = _COMING[place - 1], _COMING[place]
        return at_low + (at_high - at_low) * (share - low) / (high - low)

    def uninterrupted_s(self, rng: random.Random) -> float:
        """Return how long a replica runs until it vanishes."""
        return rng.expovariate(1 / (3600 * self.mtbi_h)) if self.mtbi_h else float("inf")
