"""Waiting for what is to come true, in place of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


def until(condition: Callable[[], T], *, within_s: float = 60) -> T:
    """Return the first value of the condition that counts as true; fail after the time."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not so within {within_s} s, but {value!r}"
        time.sleep(0.02)
    return value


def is_alive(pid: int) -> bool:
    """Tell whether a process still exists as more than an entry that nobody has taken note of."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
