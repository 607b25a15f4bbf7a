"""Machines in virtual time: each runs real code, and can freeze, lose its power, or have a clock that is wrong.

What is to be done belongs to the machine that asked for it. While that is frozen it waits, as all of
a process does after SIGSTOP; once its power is cut it is never done, as after SIGKILL: no handler
runs, and nothing is cleaned up.

Code that blocks, such as a call of boto3, runs in a ``Call``, a greenlet that waits in virtual time.
So calls of several machines overlap as they would in threads, and each of them in the same order
whenever the same history is run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar

from greenlet import GreenletExit

from tests.simulation.clock import START, Blocked
from tests.simulation.loop import Handle, Loop, owner
from tests.simulation.standing_in import Blocking

T = TypeVar("T")

NETWORK = Context()
"""What belongs to no machine: a request on its way arrives, whatever becomes of its sender."""


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
        self.undone: list[Handle] = []
        self.on_lost: Callable[[], object] = lambda: None
        self.context = copy_context()
        self.context.run(owner.set, self)
        loop.owners.append(self)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine here."""
        return self.loop.create_task(work, context=self.context)

    def freeze(self) -> None:
        """Stop everything here, as SIGSTOP does."""
        self.is_running = False
        self._tell(self.name, "freezes")

    def thaw(self) -> None:
        """Go on with everything, unless the power is gone meanwhile."""
        if not self.is_lost:
            self._tell(self.name, "goes on")
            self.revive()

    def revive(self) -> None:
        """Go on with everything, whatever has happened."""
        self.is_running, self.is_lost = True, False
        undone, self.undone = self.undone, []
        self.loop.take_up(undone)

    def lose(self) -> None:
        """Cut the power: nothing that was to be done here is ever done."""
        if not self.is_lost:
            self.is_running, self.is_lost, self.lost_at = False, True, self.loop.now
            self._tell(self.name, "is lost")
            self.loop.call_soon(self.on_lost, context=NETWORK)

    def now(self) -> float:
        """Return the time of day, as this machine has it."""
        return START + self.loop.now + self.clock_error_s

    def monotonic(self) -> float:
        """Return seconds that nothing sets back."""
        return self.loop.now

    async def sleep(self, seconds: float) -> None:
        """Wait, which takes no time."""
        self._check_going_on()
        await asyncio.sleep(seconds)

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a blocking call, which goes on by itself where nobody waits for it any more."""
        self._check_going_on()
        return await Call(self, partial(call, *args, **kwargs)).answer

    def _check_going_on(self) -> None:
        if self.loop.is_ending:
            raise asyncio.CancelledError


class Call(Blocking):
    """A call on its way: blocking code that waits in virtual time."""

    machine: Machine

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
        self.machine.loop.call_later(seconds, self.switch, context=self.machine.context)
        self.parent.switch()

    def travel(self, seconds: float) -> None:
        """Let a request be on its way, which arrives whatever becomes of the machine."""
        self.machine.loop.call_later(seconds, self.switch, context=NETWORK)
        self.parent.switch()

    def hold(self, blocked: Blocked) -> None:
        """Wait at the service for its news, or until it gives up."""
        loop = self.machine.loop
        in_vain = loop.call_later(blocked.wait_s, self.switch, context=NETWORK)

        def wake() -> None:
            in_vain.cancel()
            loop.call_soon(self.switch, context=NETWORK)

        blocked.news.wait(wake)
        self.parent.switch()
        blocked.news.leave(wake)

    def lose(self) -> None:
        """Cut the power in the middle of this call, which never returns."""
        self.machine.lose()
        self.parent.switch()
