"""Waiting out a service that does not answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from lrtkit.wire.clock import Clock
from lrtkit.wire.errors import Unavailable
from worker.report import Report

T = TypeVar("T")

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


def backoff_s(first_s: float, failures: int, longest_s: float) -> float:
    """Return a wait that doubles with each failure, with jitter so that workers do not come back together."""
    return min(longest_s, first_s * 2.0 ** min(failures - 1, 30)) * random.uniform(0.5, 1.0)


async def patiently(clock: Clock, report: Report, call: Callable[..., T], *args: Any) -> T:
    """Make a call again and again until the service answers; whoever holds a lease bounds it by the lease."""
    failures = 0
    while True:
        try:
            return await clock.run(call, *args)
        except Unavailable as error:
            failures += 1
            wait_s = backoff_s(FIRST_WAIT_S, failures, LONGEST_WAIT_S)
            report("waiting", reason=str(error), wait_s=round(wait_s, 1))
            await clock.sleep(wait_s)
