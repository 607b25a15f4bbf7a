"""What a plan will not survive, as far as earlier jobs tell; arithmetic only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from lrtkit.wire.job import Job
from lrtkit.wire.sqs import LEASE_CAP_S, RETENTION_S

_DAY_S = 86_400
_HOUR_S = 3_600


class Past(Protocol):
    """What earlier jobs tell: a job's usual steps per second, and whether any has saved a checkpoint.

    ``open_steps`` are those that jobs under way still have to make, ``running`` is how many run.
    """

    @property
    def rate_per_s(self) -> float | None:
        """The usual steps per second of one job."""

    @property
    def saves(self) -> bool:
        """Whether any has saved a checkpoint."""

    @property
    def open_steps(self) -> float:
        """The steps that jobs under way still have to make."""

    @property
    def running(self) -> int:
        """How many jobs run."""


@dataclass
class Work:
    """What new jobs ask for: how many they are, and their steps, in all and of the longest."""

    jobs: int = 0
    steps: int = 0
    most_steps: int = 0

    def add(self, job: Job) -> None:
        """Count a job in."""
        steps = job.steps or 0
        self.jobs += 1
        self.steps += steps
        self.most_steps = max(self.most_steps, steps)


def foresee(work: Work, past: Past, replicas: int | None = None) -> list[str]:
    """Return a sentence for each thing that the jobs will not survive; none where nothing tells how long they take."""
    if not work.jobs or not past.rate_per_s:
        return []
    return [*_of_retention(work, past, replicas or past.running), *_of_leases(work, past)]


def _of_retention(work: Work, past: Past, replicas: int) -> Iterator[str]:
    work_s = (past.open_steps + work.steps) / (past.rate_per_s or 1)
    if replicas and work_s / replicas > RETENTION_S:
        enough = -(-work_s // RETENTION_S)
        yield (
            f"the work takes about {work_s / replicas / _DAY_S:.0f} days on {replicas:,} replicas, and the queue drops "
            f"what it has held for 14. Try: {enough:,.0f} replicas or more, or submit in parts"
        )


def _of_leases(work: Work, past: Past) -> Iterator[str]:
    longest_s = work.most_steps / (past.rate_per_s or 1)
    if longest_s > LEASE_CAP_S and not past.saves:
        yield (
            f"the longest job takes about {longest_s / _HOUR_S:.0f} h, its lease ends after 12, and no job of this "
            "experiment has saved a checkpoint yet. Try: yield checkpoints in the workload"
        )
