"""Virtual time: an event loop without files, whose time leaps from one thing to do to the next.

What is to be done may belong to a machine. While that stands still, the loop keeps it from running.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol, TypeVar

from greenlet import GreenletExit, greenlet

from tests.simulation.standing_in import standing_in

T = TypeVar("T")

MOST_TURNS = 20_000_000
"""A history that takes more turns of the loop than this goes round in circles."""


class Owner(Protocol):
    """What the loop needs of a machine."""

    is_running: bool
    undone: list[Handle]

    def revive(self) -> None:
        """Go on with everything, whatever has happened."""


owner: ContextVar[Owner | None] = ContextVar("owner", default=None)


class Handle(asyncio.TimerHandle):
    """Something to do, now or at a time; light, for a history has a million of them."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., object], args: Any, loop: Loop, context: Context | None, when: float = 0.0
    ) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context  # an empty one is false
        self._when = when
        self._cancelled = False
        self._scheduled = False
        self._repr = self._source_traceback = None

    def cancel(self) -> None:
        """Let it be; it stays where it is, and time passes it soon enough."""
        self._cancelled = True
        self._callback = self._args = None


class Task(asyncio.Task[Any]):
    """A task whose hash is its number, so that sets of tasks have the same order in every run."""

    numbers = itertools.count()

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Task:
        """Number it before anybody can ask for its hash."""
        task = super().__new__(cls)
        task.number = next(cls.numbers)
        return task

    def __hash__(self) -> int:
        return self.number

    __eq__ = object.__eq__


class Loop(asyncio.BaseEventLoop):
    """An event loop whose time is ``now``, in virtual seconds since it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._soon: deque[Handle] = deque()
        self._later: list[tuple[float, int, Handle]] = []
        self._places = itertools.count()
        self.turns = 0
        self.owners: list[Owner] = []
        self.calls: dict[greenlet, None] = {}
        """Blocking code that waits in virtual time."""
        self.is_ending = False

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self.now

    def create_task(self, work: Coroutine[Any, Any, T], **more: Any) -> asyncio.Task[T]:
        """Run a coroutine."""
        return Task(work, loop=self, **more)

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:
        """Do something in the next turn."""
        handle = Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Do something after a delay."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Do something at a time."""
        handle = Handle(callback, args, self, context, when)
        heapq.heappush(self._later, (when, next(self._places), handle))
        return handle

    def take_up(self, handles: list[Handle]) -> None:
        """Do in the next turn what was kept from running."""
        self._soon.extend(handles)

    def _run_once(self) -> None:
        """Take turns until told to stop."""
        while not self._stopping:
            self.turns += 1
            if self.turns > MOST_TURNS:
                raise RuntimeError("the history does not come to its end")
            if not self._soon:
                self._leap()
            for _ in range(len(self._soon)):
                self._do(self._soon.popleft())

    def _do(self, handle: Handle) -> None:
        if handle._cancelled:
            return
        machine = handle._context.get(owner)
        if machine is None or machine.is_running:
            handle._run()
        else:
            machine.undone.append(handle)

    def _leap(self) -> None:
        later = self._later
        while later and later[0][2]._cancelled:
            heapq.heappop(later)
        if not later:
            raise RuntimeError("everything waits, and nothing will ever happen")
        self.now = max(self.now, later[0][0])
        while later and later[0][0] <= self.now:
            self._soon.append(heapq.heappop(later)[2])


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end in virtual time and return what it gives; whatever else runs then ends too."""
    loop = Loop()
    loop.set_exception_handler(lambda *_: None)  # what a lost machine leaves behind speaks to nobody
    try:
        with standing_in():
            try:
                return loop.run_until_complete(story)
            finally:
                _end_all(loop)
    finally:
        loop.close()


def _end_all(loop: Loop) -> None:
    """Let calls and tasks run to their ends by cancellation, those of lost machines too, so that none is left."""
    loop.is_ending = True
    for call in list(loop.calls):
        call.throw(GreenletExit)
    for machine in loop.owners:
        machine.revive()
    tasks = sorted(asyncio.all_tasks(loop), key=hash)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
