"""How fast calls are made: at the service's limit, slower when it refuses some, and back again step by step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

CATCH_UP_S = 0.25
"""How much of a delay of one's own is made up for by calls that follow each other at once."""

SLOWING = 0.7
RECOVERY_S = 20.0
"""How long it takes from a standstill back to the limit."""

SLOWEST_PER_S = 1.0

DEAF_S = 0.5
"""Refusals within so short a time are one: those of calls that were on their way together."""


class Pace:
    """Hands out the times of calls, ``limit_per_s`` of them a second at most.

    A refusal lowers the rate to a part of itself, and every call that is answered raises it a little:
    so several who share a queue come to share its limit too.
    """

    def __init__(self, limit_per_s: float, now: Callable[[], float] | None = None) -> None:
        self._limit_per_s = limit_per_s
        self._now = now or time.monotonic  # looked up now: a simulation has a time of its own
        self._lock = threading.Lock()
        self._next = self._now()
        self._slowed_at = float("-inf")
        self.rate_per_s = limit_per_s

    def wait_s(self) -> float:
        """Take the next place in the row, and return how long it is until then."""
        with self._lock:
            now = self._now()
            place = max(self._next, now - CATCH_UP_S)
            self._next = place + 1 / self.rate_per_s
        return max(0.0, place - now)

    def refused(self) -> None:
        """Slow down, as the service asks for fewer calls, or has not answered one."""
        with self._lock:
            now = self._now()
            if now - self._slowed_at >= DEAF_S:
                self._slowed_at = now
                self.rate_per_s = max(SLOWEST_PER_S, self.rate_per_s * SLOWING)

    def answered(self) -> None:
        """Speed up a little, as the service has answered."""
        with self._lock:
            gain = self._limit_per_s / RECOVERY_S / self.rate_per_s
            self.rate_per_s = min(self._limit_per_s, self.rate_per_s + gain)
