"""What a table would change: each of its jobs beside what is known of the job of that id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lrtkit.wire.job import Job

NEW = "new"
CHANGED = "changed"


@dataclass(frozen=True)
class Known:
    """A job that the bucket knows of; ``fields`` are None where only its record is there.

    ``accepted`` tells that the queue or a worker surely had it, so that it is not to be sent again.
    """

    state: str
    accepted: bool
    fingerprint: str | None = None
    fields: Mapping[str, Any] | None = None


class Action(StrEnum):
    """What a submission does about a row."""

    SEND = "send"
    NONE = "none"
    ASK = "ask"
    """Refuses the table: the row differs from the job that has its id."""


@dataclass(frozen=True)
class Change:
    """One field that differs; ``old`` and ``new`` hold it by its name, or nothing where it was not there."""

    name: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A job of a table, and the one that is known under its id, if there is one."""

    job: Job
    known: Known | None

    @property
    def is_change(self) -> bool:
        """Whether the known job computes something else."""
        return self.known is not None and self.known.fingerprint not in {None, self.job.fingerprint}

    @property
    def action(self) -> Action:
        """What a submission does about the row."""
        if self.is_change:
            return Action.ASK
        return Action.NONE if self.known and self.known.accepted else Action.SEND

    @property
    def state(self) -> str:
        """Where the job stands: new, changed, or the state of the known job."""
        if self.known is None:
            return NEW
        return CHANGED if self.is_change else self.known.state

    def changes(self) -> Iterator[Change]:
        """Tell the fields that differ, as far as those of the known job are known."""
        before = self.known.fields if self.known else None
        for name in dict.fromkeys([*before, *self.job.fields]) if before is not None else ():
            old, new = ({name: fields[name]} if name in fields else {} for fields in (before or {}, self.job.fields))
            if _json(old) != _json(new):  # of which 1 and 1.0 are not the same
                yield Change(name, old, new)


def compare(jobs: Iterable[Job], known: Mapping[str, Known]) -> Iterator[Difference]:
    """Give each job beside what is known of it."""
    return (Difference(job, known.get(job.job_id)) for job in jobs)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
