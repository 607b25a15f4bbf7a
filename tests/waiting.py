"""Waiting for what is to come true, in place of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


SHORTEST_S, LONGEST_S = 0.02, 0.2


def until(condition: Callable[[], T | None], *, within_s: float = 60) -> T:
    """Return the first value of the condition that counts as true; fail after the time.

    The longer it takes the more seldom one looks, for a look often is a call that a server has to answer.
    """
    began = time.monotonic()
    while not (value := condition()):
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"not so within {within_s} s, but {value!r}"
        time.sleep(min(max(SHORTEST_S, waited_s / 10), LONGEST_S))
    return value


def is_alive(pid: int) -> bool:
    """Tell whether a process still exists as more than an entry that nobody has taken note of."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
