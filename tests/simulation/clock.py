"""What tells virtual time, and what calls of the twins take of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

START = 1_790_000_000.0
"""The time of day at which every history begins."""


def time_of_day() -> float:
    """Return the seconds since 1970 in the history that runs; before it runs, it is about to begin."""
    try:
        return START + asyncio.get_running_loop().time()
    except RuntimeError:
        return START


class News:
    """What those who wait at a service are told, all at once."""

    def __init__(self) -> None:
        self._waiting: dict[Callable[[], object], None] = {}

    def wait(self, wake: Callable[[], object]) -> None:
        """Call this when there is news."""
        self._waiting[wake] = None

    def leave(self, wake: Callable[[], object]) -> None:
        """Call it no more."""
        self._waiting.pop(wake, None)

    def tell(self) -> None:
        """Wake all who wait."""
        for wake in self._waiting:
            wake()


class Blocked(Exception):
    """A call of a twin cannot go on before there is ``news``, or before ``wait_s`` are over; it is then made again."""

    def __init__(self, news: News, wait_s: float) -> None:
        super().__init__()
        self.news = news
        self.wait_s = wait_s


class Meter:
    """What a call takes: the twins say so while it is made, the clock lets the time pass when it has been made.

    A call that has waited and is made again is told so by ``waited_s``.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waited_s = 0.0

    def spend(self, seconds: float) -> None:
        """Let the call take so much longer."""
        self.seconds += seconds

    @contextmanager
    def waited(self, seconds: float) -> Iterator[None]:
        """Let the call that is made meanwhile be one that has waited so long."""
        self.waited_s = seconds
        try:
            yield
        finally:
            self.waited_s = 0.0

    def read(self) -> float:
        """Return what has been spent, and begin again."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


class VirtualClock:
    """The clock of one node: once its power is cut, nothing on the node goes on."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._dead = False

    def cut(self) -> None:
        """Cut the power."""
        self._dead = True

    def now(self) -> float:
        """Return the time of day."""
        return time_of_day()

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait, which takes no time."""
        self._live()
        await asyncio.sleep(seconds)
        self._live()

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a call at once and let the time that it takes pass; its effect stays if the node dies meanwhile."""
        self._live()
        try:
            value = await self._unblocked(call, *args, **kwargs)
        finally:
            spent_s = self._meter.read()
        await self.sleep(spent_s)
        return value

    async def _unblocked(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        began = self.monotonic()
        while True:
            try:
                with self._meter.waited(self.monotonic() - began):
                    return call(*args, **kwargs)
            except Blocked as blocked:
                self._meter.read()  # the answer takes its time once, when it comes
                await _news(blocked)
                self._live()

    def _live(self) -> None:
        if self._dead:
            raise asyncio.CancelledError


async def _news(blocked: Blocked) -> None:
    told = asyncio.Event()
    blocked.news.wait(told.set)
    try:
        async with asyncio.timeout(blocked.wait_s):
            await told.wait()
    except TimeoutError:
        return
    finally:
        blocked.news.leave(told.set)
