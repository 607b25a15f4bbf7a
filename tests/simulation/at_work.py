"""What all workloads of virtual time have: one wish at a time, checkpoints that wait to be taken, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from lrtkit.wire.record import Failure
from worker.running import Ended, Failed, Fresh


class AtWork:
    """A workload at work; it looks at ``_wanted`` and ``_stopping`` after each step, and gives checkpoints out."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._stopping = False
        self._made = asyncio.Event()
        self._fresh: Fresh | None = None

    def _begin(self, work: Coroutine[Any, Any, Ended]) -> None:
        self._work = asyncio.create_task(work)

    def _give(self, fresh: Fresh) -> None:
        """Have a checkpoint taken, in the place of one that nobody has."""
        self._fresh = fresh
        self._made.set()

    @property
    def has_ended(self) -> bool:
        """Whether it is no longer at work."""
        return self._work.done()

    def want_checkpoint(self) -> None:
        """Ask for a checkpoint after the present step."""
        self._wanted.set()

    async def next_checkpoint(self) -> Fresh:
        """Wait for a checkpoint that was not discarded."""
        while not self._fresh:
            await self._made.wait()
        return self._fresh

    async def newest_checkpoint(self) -> Fresh | None:
        """Return the newest checkpoint that was not discarded, if there is one."""
        return self._fresh

    async def discard(self, fresh: Fresh) -> None:
        """Drop a checkpoint that is saved."""
        if self._fresh is fresh:
            self._fresh = None
            self._made.clear()

    async def stop(self) -> None:
        """Ask it to stop after the present step, with a checkpoint."""
        self._stopping = True
        self._wanted.set()

    stop_at_checkpoint = stop

    def kill(self) -> None:
        """End it now."""
        self._work.cancel()

    async def wait(self) -> Ended:
        """Wait for the end."""
        try:
            return await asyncio.shield(self._work)
        except asyncio.CancelledError:
            if self._work.cancelled():
                return Failed(Failure("SIGKILL", "the workload was killed"))
            raise
