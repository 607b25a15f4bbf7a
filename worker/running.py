"""The seam between the story and a workload: what the worker needs of it, however it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lrtkit.wire.errors import LrtError
from lrtkit.wire.job import Job
from lrtkit.wire.record import Failure
from worker.report import Report


@dataclass(frozen=True)
class Fresh:
    """A checkpoint that the workload has made and nobody has saved yet; ``stall_s`` is what it cost the workload."""

    state: Mapping[str, Any]
    files: Mapping[str, Path]
    stall_s: float = 0.0
    folder: Path | None = None


@dataclass(frozen=True)
class Finished:
    """The workload returned a result."""

    value: Any
    artifacts: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """The workload raised, exited non-zero or was killed; ``hopeless`` where no further attempt can help."""

    failure: Failure
    hopeless: bool = False


@dataclass(frozen=True)
class Interrupted:
    """The workload stopped at a checkpoint, ready to be resumed; ``output`` holds the last lines that it printed."""

    output: str = ""


class BrokenProtocol(LrtError):
    """The workload has left something that is no checkpoint or no result: a failure of the workload."""


Ended = Finished | Failed | Interrupted


class Running(Protocol):
    """A workload at work."""

    def want_checkpoint(self) -> None:
        """Ask for a checkpoint at the next place where the workload can give one."""

    async def next_checkpoint(self) -> Fresh:
        """Wait for a checkpoint that was not discarded, and return the newest; older ones are dropped."""

    async def newest_checkpoint(self) -> Fresh | None:
        """Return the newest checkpoint that was not discarded, if there is one; older ones are dropped."""

    async def discard(self, fresh: Fresh) -> None:
        """Drop a checkpoint that is saved."""

    async def stop(self) -> None:
        """Ask the workload to save and stop, soon."""

    async def stop_at_checkpoint(self) -> None:
        """Ask the workload to stop when it has just made a checkpoint, so that no work is lost."""

    def kill(self) -> None:
        """End the workload and everything that it started, now."""

    async def wait(self) -> Ended:
        """Wait for the end and return how it came."""


class Workloads(Protocol):
    """Whatever starts workloads."""

    async def start(self, job: Job, folder: Path, *, report: Report, resume: bool) -> Running:
        """Start the workload of a job in a work folder whose ``resume`` holds a checkpoint, if so told."""
