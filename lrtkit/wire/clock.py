"""Time and blocking calls, handed to the worker so that a simulation can hand it others."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """The one door to time and to calls that block."""

    def now(self) -> float:
        """Return the time of day: seconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back and that run on while the machine is suspended."""

    async def sleep(self, seconds: float) -> None:
        """Wait, on the event loop."""

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a blocking call aside and return its value; when cancelled, the call itself goes on."""


class SystemClock:
    """The machine's own time, and threads for blocking calls."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="call")

    def now(self) -> float:
        """Return the time of day: seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return the boot clock where there is one: the monotonic clock stands still while a machine sleeps."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, on the event loop."""
        await asyncio.sleep(seconds)

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a blocking call in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(call, *args, **kwargs))


def iso(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC with milliseconds, as records and logs write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Return the seconds since 1970 of an ISO 8601 time; raise ValueError where the text is none."""
    return datetime.fromisoformat(text).timestamp()
