"""Machines in virtual time: each runs real code, and can freeze, lose its power, or have a clock that is wrong.

Everything runs on one event loop whose time leaps from one thing to do to the next. What is to be
done belongs to the machine that asked for it. While that is frozen it waits, as all of a process
does after SIGSTOP; once its power is cut it is never done, as after SIGKILL: no handler runs, and
nothing is cleaned up.

Code that blocks, such as a call of boto3, runs in a ``Call``, a greenlet that waits in virtual time.
So calls of several machines overlap as they would in threads, and each of them in the same order
whenever the same history is run again.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from tests.simulation.clock import START, Blocked

T = TypeVar("T")

MOST_TURNS = 20_000_000
"""A history that takes more turns of the loop than this goes round in circles."""

_owner: ContextVar[Machine | None] = ContextVar("machine", default=None)
NETWORK = Context()
"""What belongs to no machine: a request on its way arrives, whatever becomes of its sender."""


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
    """An event loop without files, whose time leaps, and which keeps from each machine what it cannot do now."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._soon: deque[asyncio.Handle] = deque()
        self._later: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._places = itertools.count()
        self.turns = 0
        self.machines: list[Machine] = []
        self.calls: dict[Call, None] = {}
        self.is_ending = False
        self.set_task_factory(lambda loop, work, **more: Task(work, loop=loop, **more))
        self.set_exception_handler(lambda *_: None)  # what a lost machine leaves behind speaks to nobody

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Do something in the next turn."""
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Do something after a delay."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Do something at a time."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._later, (when, next(self._places), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave a cancelled timer where it is: time passes it soon enough."""

    def _run_once(self) -> None:
        self.turns += 1
        if self.turns > MOST_TURNS:
            raise RuntimeError("the history does not come to its end")
        if not self._soon:
            self._leap()
        for _ in range(len(self._soon)):
            handle = self._soon.popleft()
            if not handle._cancelled:
                machine = handle._context.get(_owner)
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
        self._now = max(self._now, later[0][0])
        while later and later[0][0] <= self._now:
            self._soon.append(heapq.heappop(later)[2])


class Machine:
    """A computer with a name; ``clock_error_s`` is how far its time of day is wrong, ``tell`` hears what befalls it."""

    def __init__(self, name: str, loop: Loop, tell: Callable[[str, str], object] = lambda *_: None) -> None:
        self.name = name
        self.loop = loop
        self._tell = tell
        self.is_running = True
        self.is_lost = False
        self.lost_at: float | None = None
        self.clock_error_s = 0.0
        self.undone: list[asyncio.Handle] = []
        self.on_lost: Callable[[], object] = lambda: None
        self._context = copy_context()
        self._context.run(_owner.set, self)
        loop.machines.append(self)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine here."""
        return self.loop.create_task(work, context=self._context)

    def freeze(self) -> None:
        """Stop everything here, as SIGSTOP does."""
        self.is_running = False
        self._tell(self.name, "freezes")

    def thaw(self) -> None:
        """Go on with everything, unless the power is gone meanwhile."""
        if not self.is_lost:
            self.is_running = True
            self._tell(self.name, "goes on")
            undone, self.undone = self.undone, []
            self.loop._soon.extend(undone)

    def lose(self) -> None:
        """Cut the power: nothing that was to be done here is ever done."""
        if not self.is_lost:
            self.is_running, self.is_lost, self.lost_at = False, True, self.loop.time()
            self._tell(self.name, "is lost")
            self.loop.call_soon(self.on_lost, context=NETWORK)

    def now(self) -> float:
        """Return the time of day, as this machine has it."""
        return START + self.loop._now + self.clock_error_s

    def monotonic(self) -> float:
        """Return seconds that nothing sets back."""
        return self.loop._now

    async def sleep(self, seconds: float) -> None:
        """Wait, which takes no time."""
        self._check_going_on()
        await asyncio.sleep(seconds)

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a blocking call, which goes on by itself where nobody waits for it any more."""
        self._check_going_on()
        return await Call(self, lambda: call(*args, **kwargs)).answer

    def _check_going_on(self) -> None:
        if self.loop.is_ending:
            raise asyncio.CancelledError


class Call(greenlet):
    """A call on its way: blocking code that waits in virtual time."""

    def __init__(self, machine: Machine, work: Callable[[], Any]) -> None:
        super().__init__(self._answer)
        self.machine = machine
        self.answer: asyncio.Future[Any] = machine.loop.create_future()
        self._work = work
        machine.loop.calls[self] = None
        self.switch()

    def _answer(self) -> None:
        try:
            value = self._work()
        except GreenletExit:
            return
        except Exception as error:  # noqa: BLE001  (whoever waits for it gets it)
            if not self.answer.done():
                self.answer.set_exception(error)
                self.answer.exception()  # seen, even where nobody waits any more
        else:
            if not self.answer.done():
                self.answer.set_result(value)
        del self.machine.loop.calls[self]

    def wait(self, seconds: float) -> None:
        """Let time pass on this machine: longer where it is frozen, for ever where it has lost its power."""
        self.machine.loop.call_later(seconds, self.switch, context=self.machine._context)
        self.parent.switch()

    def travel(self, seconds: float) -> None:
        """Let a request be on its way, which arrives whatever becomes of the machine."""
        self.machine.loop.call_later(seconds, self.switch, context=NETWORK)
        self.parent.switch()

    def hold(self, blocked: Blocked) -> None:
        """Wait at the service for its news, or until it gives up."""
        self.machine.loop.create_task(_news(blocked), context=NETWORK).add_done_callback(
            lambda _: self.switch(), context=NETWORK
        )
        self.parent.switch()

    def lose(self) -> None:
        """Cut the power in the middle of this call, which never returns."""
        self.machine.lose()
        self.parent.switch()


async def _news(blocked: Blocked) -> None:
    try:
        async with asyncio.timeout(blocked.wait_s):
            await blocked.news.wait()
    except TimeoutError:
        return


def run(story: Callable[[Loop], Coroutine[Any, Any, T]]) -> T:
    """Run a story to its end in virtual time, and end whatever else runs then."""
    loop = Loop()
    try:
        with _standing_in():
            return loop.run_until_complete(story(loop))
    finally:
        _end_all(loop)
        loop.close()


def _end_all(loop: Loop) -> None:
    """Let calls and tasks run to their ends by cancellation, those of lost machines too, so that none is left."""
    loop.is_ending = True
    for call in list(loop.calls):
        call.throw(GreenletExit)
    for machine in loop.machines:
        machine.is_lost = False
        machine.thaw()
    tasks = sorted(asyncio.all_tasks(loop), key=hash)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _here() -> Call | None:
    found = getcurrent()
    return found if isinstance(found, Call) else None


def _virtual(real: Callable[..., Any], virtual: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the machine's own, that does in virtual time what the real one does outside of it."""

    def either(*args: Any, **kwargs: Any) -> Any:
        call = _here()
        return virtual(call, *args, **kwargs) if call else real(*args, **kwargs)

    return either


def _wait_for(call: Call, event: threading.Event, timeout: float | None = None) -> bool:
    if not event.is_set() and timeout:
        call.wait(timeout)
    return event.is_set()


def _submit(_: Call, pool: ThreadPoolExecutor, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  (whoever asks for the result gets it)
        future.set_exception(error)
    return future


@contextmanager
def _standing_in() -> Iterator[None]:
    """Let the standard library's time and threads be those of the machine, for code that blocks in a call."""
    stand_ins: list[tuple[Any, str, Callable[..., Any]]] = [
        (time, "time", lambda call: call.machine.now()),
        (time, "monotonic", lambda call: call.machine.monotonic()),
        (time, "sleep", Call.wait),
        (threading.Event, "wait", _wait_for),
        (ThreadPoolExecutor, "submit", _submit),
    ]
    real = [(owner, name, getattr(owner, name)) for owner, name, _ in stand_ins]
    for owner, name, virtual in stand_ins:
        setattr(owner, name, _virtual(getattr(owner, name), virtual))
    try:
        yield
    finally:
        for owner, name, function in real:
            setattr(owner, name, function)
