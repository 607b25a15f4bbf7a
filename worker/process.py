"""Real workloads: a process group of its own for each attempt, spoken to by files (contract 4)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtkit.wire import keys, strict
from lrtkit.wire.clock import Clock
from lrtkit.wire.job import Job
from lrtkit.wire.record import Failure
from lrtkit.wire.workload import KITS_OWN, STALL_NAME, files_in
from worker import orphans
from worker.host import CHECKPOINT_NAME, EXIT_INTERRUPTED, EXIT_INVALID, Places
from worker.loading import is_command
from worker.output import Output
from worker.report import Report
from worker.running import BrokenProtocol, Ended, Failed, Finished, Fresh, Interrupted

POLL_S = 0.05
"""How often a folder is looked at for a new checkpoint: a listing takes some 20 µs."""

LARGEST_TEXT = 16_384

_ADVICE = "plain JSON, written under another name and renamed"

LEAST_SECRET = 16
"""Characters from which on a key is looked for within values; a shorter one may be part of innocent ones."""


class Processes:
    """Starts each workload as a process of its own, with ``env``, which should hold no key of queue or bucket."""

    def __init__(self, workload: str, clock: Clock, *, grace_s: float, env: Mapping[str, str]) -> None:
        self._workload = workload
        self._clock = clock
        self._grace_s = grace_s
        self._env = env
        self._live: set[Process] = set()

    async def start(self, job: Job, folder: Path, *, report: Report, resume: bool) -> Process:
        """Start the workload of a job in a work folder whose ``resume`` holds a checkpoint, if so told."""
        places = Places(folder)
        await self._clock.run(places.make, json.dumps(job.fields))
        output = Output(report)
        spared = orphans.children()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "worker.host", self._workload, str(os.getpid()), str(self._grace_s)),
                env={**self._env, **places.env(resume=resume)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.writer,
                stderr=output.writer,
                start_new_session=True,
            )
        except BaseException:
            output.close()
            raise
        finally:
            output.started()
        running = Process(
            process,
            places,
            clock=self._clock,
            output=output,
            live=self._live,
            spared=spared,
            is_command=is_command(self._workload),
        )
        self._live.add(running)
        return running

    def kill_all(self) -> None:
        """End every workload that is still at work."""
        for running in self._live:
            running.kill()


@dataclass(eq=False)
class Process:
    """A workload at work in a process group of its own; ``spared`` are the worker's children that are none of it."""

    process: asyncio.subprocess.Process
    places: Places
    clock: Clock
    output: Output
    live: set[Process]
    spared: frozenset[int]
    is_command: bool
    taken_ns: int = 0
    """When the newest checkpoint that was taken had been made."""

    def want_checkpoint(self) -> None:
        """Ask for a checkpoint at the next place where the workload can give one."""
        self.places.wanted.touch()

    async def next_checkpoint(self) -> Fresh:
        """Wait for a checkpoint that was not discarded, and return the newest; older ones are dropped."""
        while not (fresh := await self.newest_checkpoint()):
            while not _complete(self.places.checkpoints):
                await self.clock.sleep(POLL_S)
        return fresh

    async def newest_checkpoint(self) -> Fresh | None:
        """Return the newest checkpoint that was not discarded, if there is one; older ones are dropped."""
        complete = _complete(self.places.checkpoints)
        if not complete:
            return None
        self.taken_ns, newest = complete[-1]
        return await self.clock.run(_taken, newest, [folder for _, folder in complete[:-1]])

    async def discard(self, fresh: Fresh) -> None:
        """Drop a checkpoint that is saved."""
        await self.clock.run(shutil.rmtree, fresh.folder, ignore_errors=True)

    async def stop(self) -> None:
        """Ask the workload to save and stop, soon.

        Only a command's children are asked too, for a shell does not pass the signal on. A generator
        can go on to its next checkpoint, and needs whatever it has started until then.
        """
        self._signal(signal.SIGTERM, os.killpg if self.is_command else os.kill)

    async def stop_at_checkpoint(self) -> None:
        """Ask the workload to stop when it has just made a checkpoint, so that no work is lost.

        A generator is asked at once, for it stops at its next checkpoint by itself. A command may
        not handle the signal, so it is asked right after a checkpoint.
        """
        asked_ns = time.time_ns()
        while self.is_command and self._newest_ns() < asked_ns:
            await self.clock.sleep(POLL_S)
        await self.stop()

    def kill(self) -> None:
        """End the workload and everything that it started, now."""
        self._signal(signal.SIGKILL)

    async def wait(self) -> Ended:
        """Wait for the end and return how it came; what the workload had started ends with it."""
        code = await self.process.wait()
        self.kill()
        await self.clock.run(orphans.end_all, self.spared)
        if self in self.live:
            self.live.remove(self)
            self.output.close()
        return await self.clock.run(self._ended, code)

    def _newest_ns(self) -> int:
        """Return when the newest checkpoint was made, whether it has been taken or not."""
        return max([self.taken_ns, *(made_ns for made_ns, _ in _complete(self.places.checkpoints))])

    def _signal(self, number: signal.Signals, send: Callable[[int, int], None] = os.killpg) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(self.process.pid, number)

    def _ended(self, code: int) -> Ended:
        output = self.output.tail[-LARGEST_TEXT:]
        if code == EXIT_INTERRUPTED:
            return Interrupted(output)
        try:
            return self._finished() if code == 0 else Failed(self._failure(code, output), hopeless=code == EXIT_INVALID)
        except BrokenProtocol as broken:
            return Failed(Failure("BrokenProtocol", str(broken), output=output))

    def _failure(self, code: int, output: str) -> Failure:
        found = _json(self.places.error) if self.places.error.exists() else {}
        told = found if isinstance(found, dict) else {}  # a command can write there too
        return Failure(
            type=str(told.get("type") or _name_of(code)),
            message=str(told.get("message") or f"the workload ended with {_name_of(code)}")[:LARGEST_TEXT],
            traceback=str(told.get("traceback", ""))[-LARGEST_TEXT:],
            output=output,
        )

    def _finished(self) -> Finished:
        if not self.places.result.exists():
            advice = "write LRT_RESULT last" if self.is_command else "return the result, and leave by no exit"
            raise BrokenProtocol(f"the workload ended with exit code 0 but left no result. Try: {advice}")
        return Finished(_json(self.places.result), _files_in(self.places.artifacts))


def without_keys(env: Mapping[str, str], secrets: frozenset[str]) -> dict[str, str]:
    """Return an environment without the worker's own variables and without any value that holds one of its keys."""
    return {
        name: value
        for name, value in env.items()
        if not name.startswith(("R2_", "SQS_")) and not any(_holds(value, secret) for secret in secrets)
    }


def _holds(value: str, secret: str) -> bool:
    return value == secret or (len(secret) >= LEAST_SECRET and secret in value)


def _complete(checkpoints: Path) -> list[tuple[int, Path]]:
    """Return the folders that hold a whole checkpoint, with the time at which each became one, the newest last."""
    found = []
    for path in checkpoints.glob(f"*/{CHECKPOINT_NAME}"):
        with contextlib.suppress(FileNotFoundError):  # a program may keep its own last few checkpoints only
            found.append((path.stat().st_mtime_ns, path.parent))
    return sorted(found)


def _taken(newest: Path, older: Iterable[Path]) -> Fresh | None:
    """Return the newest checkpoint, if it is still there, and drop the older ones."""
    for folder in older:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        return _fresh(newest)
    return None


def _fresh(folder: Path) -> Fresh:
    state = _json(folder / CHECKPOINT_NAME)
    if not isinstance(state, dict) or keys.ENVELOPE in state:
        found = (
            f"it is {strict.name_of(state)}"
            if keys.ENVELOPE not in state
            else f"it has a key {keys.ENVELOPE!r}, the kit's own"
        )
        raise BrokenProtocol(f'the workload\'s {CHECKPOINT_NAME} cannot be kept: {found}. Try: {{"step": 1}}')
    return Fresh(
        state=state,
        files={name: path for name, path in _files_in(folder).items() if name not in KITS_OWN},
        stall_s=_stall_s(folder / STALL_NAME),
        folder=folder,
    )


def _stall_s(path: Path) -> float:
    """Return what a checkpoint cost the workload, where the host has told it; a program may have any such file."""
    with contextlib.suppress(OSError, ValueError):
        stall_s = float(path.read_text())
        return stall_s if 0 <= stall_s < math.inf else 0.0
    return 0.0


def _files_in(folder: Path) -> dict[str, Path]:
    found = files_in(folder)
    for name in found:
        if not keys.is_inside(name):
            raise BrokenProtocol(f"the file name {name!r} is too long or not printable. Try: a-z A-Z 0-9 . _ -")
    return found


def _json(path: Path) -> Any:
    """Return what the workload has written; raise BrokenProtocol where it is nothing that the record can hold."""
    try:
        return strict.loads(path.read_bytes())
    except (ValueError, IsADirectoryError, PermissionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BrokenProtocol(f"the workload's {path.name} cannot be kept: {reason}. Try: {_ADVICE}") from error


_MEANINGS = {EXIT_INVALID: " (invalid job)", 128 + signal.SIGKILL: " (out of memory?)"}


def _name_of(code: int) -> str:
    if code >= 0:
        return f"exit code {code}{_MEANINGS.get(code, '')}"
    number = -code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name} (out of memory?)" if number == signal.SIGKILL else name
