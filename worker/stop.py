"""Stop signals: the first asks, the second ends at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def listen(at_once: Callable[[], None]) -> asyncio.Event:
    """Return an event that the first stop signal sets; a second one calls ``at_once``.

    The handlers are installed expressly because process 1 of a container ignores a SIGTERM that
    it has no handler for.
    """
    asked = asyncio.Event()

    def handle() -> None:
        if asked.is_set():
            at_once()
        asked.set()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, handle)
    return asked


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T], *, grace_s: float = 0.0) -> T | None:
    """Return what the work gives, or None where the stop signal comes first and the grace has passed too."""
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait({task}, timeout=grace_s)
        return task.result() if done else None
    finally:
        stopped.cancel()
        task.cancel()
