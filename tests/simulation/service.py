"""What the twins of all services have: a time that is handed in, calls that are counted and metered, and chance."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from tests.simulation.clock import Meter
from tests.simulation.refusals import exceptions


class Service:
    """A service of boto3's ``name``; ``now`` gives seconds since 1970, ``answer_s`` is what every call takes."""

    def __init__(
        self,
        name: str,
        *,
        now: Callable[[], float],
        meter: Meter | None,
        rng: random.Random | None,
        answer_s: float,
    ) -> None:
        self.calls: Counter[str] = Counter()
        self.exceptions = exceptions(name)
        self.answer_s = answer_s
        self._now = now
        self._meter = meter or Meter()
        self._rng = rng or random.Random(0)

    def _met(self, operation: str) -> float:
        """Count a call, unless it is one that has waited and is made again; return the time."""
        if not self._meter.waited_s:
            self.calls[operation] += 1
        self._meter.spend(self.answer_s)
        return self._now()
