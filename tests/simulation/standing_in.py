"""The standard library's time and threads, in virtual time for whatever runs in a call of a machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class Clock(Protocol):
    """What tells the time where blocking code runs."""

    def now(self) -> float:
        """Return the time of day."""

    def monotonic(self) -> float:
        """Return seconds that nothing sets back."""


class Blocking(greenlet):
    """Blocking code; it has the time of its ``machine``."""

    machine: Clock

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        raise NotImplementedError


@contextmanager
def standing_in() -> Iterator[None]:
    """Let the standard library's time and threads be those of the machine, for code that blocks in a call."""
    stand_ins: list[tuple[Any, str, Callable[..., Any]]] = [
        (time, "time", lambda call: call.machine.now()),
        (time, "monotonic", lambda call: call.machine.monotonic()),
        (time, "sleep", lambda call, seconds: call.wait(seconds)),
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


def _virtual(real: Callable[..., Any], virtual: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the machine's own, that does in virtual time what the real one does outside of it."""

    def either(*args: Any, **kwargs: Any) -> Any:
        call = getcurrent()
        return virtual(call, *args, **kwargs) if isinstance(call, Blocking) else real(*args, **kwargs)

    return either


def _wait_for(call: Blocking, event: threading.Event, timeout: float | None = None) -> bool:
    if not event.is_set() and timeout:
        call.wait(timeout)
    return event.is_set()


def _submit(_: Blocking, pool: ThreadPoolExecutor, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  (whoever asks for the result gets it)
        future.set_exception(error)
    return future
