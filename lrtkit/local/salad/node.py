"""One node: a worker, its workload and all that they start, hit together or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from lrtkit.local import processes

_LOG_BYTES = 4 * 2**20
_LINE = 500
_CANNOT_START = 127  # as a shell says it


class Node:
    """The processes that carry one instance's mark, the disk they write to, and the log of what they say."""

    def __init__(self, marks: Mapping[str, str], *, log: Path, disk: Path) -> None:
        self.marks = dict(marks)
        self._log = log
        self._disk = disk
        self._main: asyncio.subprocess.Process | None = None
        self._frozen: list[psutil.Process] = []

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run the command until it ends, end what it leaves behind, and return its exit code."""
        self._disk.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            try:
                self._main = await asyncio.create_subprocess_exec(
                    *command,
                    env={**environment, "TMPDIR": str(self._disk), **self.marks},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                log.write(f"cannot start {command[0]}: {error}\n".encode())
                return _CANNOT_START
        code = await self._main.wait()
        self.kill()
        return code

    async def end(self, grace_s: float) -> None:
        """Ask the main process to stop (SIGTERM), as a container's, and kill the whole node after the grace."""
        if self._main and self._main.returncode is None:
            self._main.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._main.wait(), grace_s)
        await self.destroy()

    async def destroy(self) -> None:
        """Kill the whole node and wait until its main process is gone."""
        self.kill()
        if self._main:
            await self._main.wait()

    def kill(self) -> None:
        """Kill all of the node's processes at once."""
        processes.kill(self.marks)

    @property
    def last_line(self) -> str:
        """What the node's processes have said last."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")[:_LINE]

    def freeze(self) -> None:
        """Stop all of the node's processes where they are."""
        self._frozen = processes.freeze(self.marks)

    def thaw(self) -> None:
        """Let them run on."""
        processes.thaw(self._frozen)

    def wipe(self) -> None:
        """Lose what the node has stored."""
        shutil.rmtree(self._disk, ignore_errors=True)

    def trim_log(self) -> None:
        """Empty the log once it has grown too long; the processes append, so they write on at its new end."""
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            os.truncate(self._log, 0)
