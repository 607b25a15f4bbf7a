"""The promises of the kit, checked on what the bucket holds: nothing lost, nothing doubled, no step undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lrtkit.progress.view import JobState, View
from lrtkit.shown import Sentence
from lrtkit.wire.errors import LrtError
from lrtkit.wire.record import Outcome, Record

_SHOWN = 5


class BrokenPromise(LrtError):
    """A job was lost or doubled, or its record contradicts itself."""


def audit(views: Sequence[View], values: Mapping[str, Any]) -> Sentence:
    """Return in one sentence what became of the jobs; raise BrokenPromise that names those where something is wrong.

    ``values`` are the results of the done jobs by their ids. A record keeps the last 50 attempts, and
    only those are looked at.
    """
    broken = [f"{view.job_id}: {problem}" for view in views for problem in _problems(view, values)]
    if broken:
        more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        raise BrokenPromise("; ".join(broken[:_SHOWN]) + more)
    return Sentence(_sentence(views))


def _problems(view: View, values: Mapping[str, Any]) -> Iterator[str]:
    if view.damage:
        yield view.damage
    if view.state is JobState.EXPIRED:
        yield "its message has expired, and nobody will take it any more"
    if view.state is JobState.DONE and view.job_id not in values:
        yield "it is done, but its result is not there"
    if view.record and not view.record.is_guides:
        yield from _contradictions(view.record)


def _contradictions(record: Record) -> Iterator[str]:
    attempts = record.attempts
    commits = sum(attempt.outcome == Outcome.DONE for attempt in attempts)
    if commits != (record.state == "done"):
        yield f"it is {record.state}, and {commits} of its attempts say that they are done"
    if any(later.generation != earlier.generation + 1 for earlier, later in pairwise(attempts)):
        yield "its generations do not follow one another"
    steps = [step for attempt in attempts for step in (attempt.first_step, attempt.last_step) if step is not None]
    if any(later < earlier for earlier, later in pairwise(steps)):
        yield "its steps went back"
    if record.state == "failed" and not record.error:
        yield "it has failed without a reason"


def _sentence(views: Sequence[View]) -> str:
    records = [view.record for view in views if view.record]
    attempts = sum(record.counts.attempts for record in records)
    interruptions = sum(record.counts.interruptions for record in records)
    states = [str(view.state) for view in views]
    told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states)))
    counts = {"job": len(views), "attempt": attempts, "interruption": interruptions}
    counted = ", ".join(f"{number:,} {noun}{'' if number == 1 else 's'}" for noun, number in counts.items())
    return f"{counted}: {told}; no job is lost, no result is doubled and no saved step was done twice."
