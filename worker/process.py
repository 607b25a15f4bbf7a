"""Real workloads: a process group of its own for each attempt, spoken to by files (contract 4)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lrtkit.wire import keys
from lrtkit.wire.clock import Clock
from lrtkit.wire.job import Job
from lrtkit.wire.record import ENVELOPE, Failure
from worker.host import CHECKPOINT_NAME, EXIT_INTERRUPTED, EXIT_INVALID, STALL_NAME, Places, is_command
from worker.output import Output
from worker.report import Report
from worker.running import BrokenProtocol, Ended, Failed, Finished, Fresh, Interrupted

POLL_S = 0.05
"""How often a folder is looked at for a new checkpoint: a listing takes some 20 µs."""

LARGEST_TEXT = 16_384


class Processes:
    """Starts each workload as a process of its own, with an environment that holds no key of queue or bucket."""

    def __init__(self, workload: str, clock: Clock, *, secrets: Iterable[str], env: Mapping[str, str]) -> None:
        self._workload = workload
        self._clock = clock
        self._env = without_keys(env, frozenset(secrets))
        self._live: set[Process] = set()

    async def start(self, job: Job, folder: Path, *, report: Report, resume: bool) -> Process:
        """Start the workload of a job in a work folder whose ``resume`` holds a checkpoint, if so told."""
        places = Places(folder)
        places.make(json.dumps(job.fields))
        output = Output(report)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "worker.host", self._workload),
                env={**self._env, **places.env(resume=resume)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.writer,
                stderr=output.writer,
                start_new_session=True,
            )
        finally:
            output.started()
        running = Process(
            process, places, clock=self._clock, output=output, live=self._live, is_command=is_command(self._workload)
        )
        self._live.add(running)
        return running

    def kill_all(self) -> None:
        """End every workload that is still at work."""
        for running in self._live:
            running.kill()


class Process:
    """A workload at work in a process group of its own."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        places: Places,
        *,
        clock: Clock,
        output: Output,
        live: set[Process],
        is_command: bool,
    ) -> None:
        self._process = process
        self._places = places
        self._clock = clock
        self._output = output
        self._live = live
        self._is_command = is_command
        self._last_made_ns = 0

    def want_checkpoint(self) -> None:
        """Ask for a checkpoint at the next place where the workload can give one."""
        self._places.wanted.touch()

    async def next_checkpoint(self) -> Fresh:
        """Wait for a checkpoint that was not discarded, and return the newest; older ones are dropped."""
        while not (fresh := self.newest_checkpoint()):
            await self._clock.sleep(POLL_S)
        return fresh

    def newest_checkpoint(self) -> Fresh | None:
        """Return the newest checkpoint that was not discarded, if there is one; older ones are dropped."""
        complete = sorted(_complete(self._places.checkpoints))
        for _, folder in complete[:-1]:
            shutil.rmtree(folder, ignore_errors=True)
        if not complete:
            return None
        self._last_made_ns, newest = complete[-1]
        return _fresh(newest)

    def discard(self, fresh: Fresh) -> None:
        """Drop a checkpoint that is saved."""
        shutil.rmtree(fresh.folder or "", ignore_errors=True)

    async def stop(self) -> None:
        """Ask the workload to save and stop, soon."""
        self._signal(signal.SIGTERM)

    async def stop_at_checkpoint(self) -> None:
        """Ask the workload to stop when it has just made a checkpoint, so that no work is lost.

        A generator is asked at once, for it stops at its next checkpoint by itself. A command may
        not handle the signal, so it is asked right after a checkpoint.
        """
        asked_ns = time.time_ns()
        while self._is_command and self._last_made_ns < asked_ns:
            await self._clock.sleep(POLL_S)
            self.newest_checkpoint()
        await self.stop()

    def kill(self) -> None:
        """End the workload and everything that it started, now."""
        self._signal(signal.SIGKILL)

    async def wait(self) -> Ended:
        """Wait for the end and return how it came; what the workload had started ends with it."""
        code = await self._process.wait()
        self.kill()
        if self in self._live:
            self._live.remove(self)
            self._output.close()
        return self._ended(code)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _ended(self, code: int) -> Ended:
        if code == EXIT_INTERRUPTED:
            return Interrupted()
        if code == 0:
            return self._finished()
        told = _json(self._places.error) if self._places.error.exists() else {}
        failure = Failure(
            type=str(told.get("type") or _name_of(code)),
            message=str(told.get("message") or f"the workload ended with {_name_of(code)}")[:LARGEST_TEXT],
            traceback=str(told.get("traceback", ""))[-LARGEST_TEXT:],
            output=self._output.tail[-LARGEST_TEXT:],
        )
        return Failed(failure, hopeless=code == EXIT_INVALID)

    def _finished(self) -> Ended:
        if not self._places.result.exists():
            raise BrokenProtocol("the workload ended with exit code 0 but left no result")
        return Finished(_json(self._places.result), _files_in(self._places.artifacts))


def without_keys(env: Mapping[str, str], secrets: frozenset[str]) -> dict[str, str]:
    """Return an environment without the worker's own variables and without any value that holds one of its keys."""
    return {
        name: value
        for name, value in env.items()
        if not name.startswith(("R2_", "SQS_")) and not any(secret in value for secret in secrets)
    }


def _complete(checkpoints: Path) -> Iterator[tuple[int, Path]]:
    """Yield the folders that hold a whole checkpoint, with the time at which it became one."""
    for path in checkpoints.glob(f"*/{CHECKPOINT_NAME}"):
        with contextlib.suppress(FileNotFoundError):  # a program may keep its own last few checkpoints only
            yield path.stat().st_mtime_ns, path.parent


def _fresh(folder: Path) -> Fresh:
    stall = folder / STALL_NAME
    state = _json(folder / CHECKPOINT_NAME)
    if not isinstance(state, dict) or ENVELOPE in state:
        raise BrokenProtocol(f"a checkpoint's state must be a JSON object without a key {ENVELOPE!r}")
    return Fresh(
        state=state,
        files={name: path for name, path in _files_in(folder).items() if name != CHECKPOINT_NAME},
        stall_s=float(stall.read_text()) if stall.exists() else 0.0,
        folder=folder,
    )


def _files_in(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their relative names, leaving out those that begin with a dot."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("[!.]*")) if path.is_file()}
    for name in found:
        if not keys.is_inside(name):
            raise BrokenProtocol(f"the file name {name!r} is too long or not printable")
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenProtocol(f"{path.name} of the workload is no JSON: {error}") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _name_of(code: int) -> str:
    if code >= 0:
        return f"exit code {code}" + (" (out of memory?)" if code == 128 + signal.SIGKILL else "")
    number = -code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name} (out of memory?)" if number == signal.SIGKILL else name
