"""Virtual time: an event loop on which waiting takes no time, and a clock for whatever runs on it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

START = 1_790_000_000.0
"""The time of day at which every history begins."""

GRAIN_S = 1e-6
"""The least leap of time, so that rounding can never make it stand still."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time leaps to the next thing to do."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self.now


class _Leaping(selectors.SelectSelector):
    """Lets time pass instead of waiting for files that nobody here has."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        if timeout > 0:
            self._loop.now += max(timeout, GRAIN_S)
        return []


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end in virtual time and return what it gives; whatever else runs then ends too."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)  # what a dead node leaves behind speaks to nobody
    try:
        return loop.run_until_complete(_alone(story))
    finally:
        loop.close()


async def _alone(story: Coroutine[Any, Any, T]) -> T:
    try:
        return await story
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def time_of_day() -> float:
    """Return the seconds since 1970 in the history that runs; before it runs, it is about to begin."""
    try:
        return START + asyncio.get_running_loop().time()
    except RuntimeError:
        return START


class Blocked(Exception):
    """A call of a twin cannot go on before there is ``news``, or before ``wait_s`` are over; it is then made again."""

    def __init__(self, news: asyncio.Event, wait_s: float) -> None:
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
                await self._news(blocked)
                self._live()

    async def _news(self, blocked: Blocked) -> None:
        try:
            async with asyncio.timeout(blocked.wait_s):
                await blocked.news.wait()
        except TimeoutError:
            return

    def _live(self) -> None:
        if self._dead:
            raise asyncio.CancelledError
