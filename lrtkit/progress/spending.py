"""Where the time of a job went, attempt by attempt; arithmetic only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lrtkit.progress.view import JobState, View
from lrtkit.wire.clock import iso, seconds_of
from lrtkit.wire.record import Attempt, Outcome


@dataclass(frozen=True)
class Spent:
    """The seconds of one attempt, and of the time before it in which nobody held the job.

    ``starting_s`` is what the first checkpoint took beyond its steps, at the pace of the later ones;
    it is None, and part of ``useful_s``, where the saves do not tell.
    """

    useful_s: float
    redone_s: float
    waiting_s: float
    starting_s: float | None


def spent(view: View) -> Iterator[Spent]:
    """Tell where the time of each attempt went.

    Useful is what a checkpoint or the result has kept, redone what came after the last checkpoint. What
    a vanished node did after its last sign of life is not known, and so is part of the waiting.
    """
    before = iso(view.submitted_at) if view.submitted_at else None
    for attempt in view.record.attempts if view.record else ():
        kept_until = _kept_until(attempt, view.read_at)
        end_s = seconds_of(attempt.ended_at) if attempt.ended_at else max(view.read_at, kept_until)
        kept_s = kept_until - seconds_of(attempt.started_at)
        starting_s = _starting_s(attempt, view.steps)
        yield Spent(
            useful_s=max(0.0, kept_s - (starting_s or 0.0)),
            redone_s=max(0.0, end_s - kept_until),
            waiting_s=max(0.0, _between(before, attempt.started_at)) if before else 0.0,
            starting_s=starting_s,
        )
        before = attempt.ended_at


def rate_per_s(attempt: Attempt, steps: float | None) -> float | None:
    """Return the steps per second of an attempt up to its last save, or its end where that was the job's."""
    is_done = attempt.outcome == Outcome.DONE
    until, last = (attempt.ended_at, steps) if is_done else (attempt.saved_at, attempt.last_step)
    if until is None or last is None:
        return None
    made, took_s = last - (attempt.first_step or 0), _between(attempt.started_at, until)
    return made / took_s if made > 0 and took_s > 0 else None


def pace_per_s(view: View) -> float | None:
    """Return the steps per second of the last attempt that has saved any."""
    attempts = reversed(view.record.attempts if view.record else ())
    return next((rate for attempt in attempts if (rate := rate_per_s(attempt, view.steps))), None)


def left_s(view: View) -> float | None:
    """Return how long a job that is under way still takes at its pace, what has run since its last save taken off."""
    rate, attempt = pace_per_s(view), view.record.open_attempt if view.record else None
    if view.state not in {JobState.RUNNING, JobState.INTERRUPTED} or not rate or None in {view.steps, view.step}:
        return None
    unsaved_s = view.read_at - seconds_of(attempt.saved_at or attempt.started_at) if attempt else 0.0
    return max(0.0, ((view.steps or 0) - (view.step or 0)) / rate - max(0.0, unsaved_s))


def age_s(view: View) -> float | None:
    """Return the time since a job was submitted, or else first taken; up to its end where it has ended."""
    first = view.record.attempts[0].started_at if view.record and view.record.attempts else None
    start = view.submitted_at or (seconds_of(first) if first else view.written_at)
    if start is None:
        return None
    end = view.record.updated_at if view.record and view.state.final else None
    return max(0.0, (seconds_of(end) if end else view.read_at) - start)


def _kept_until(attempt: Attempt, now: float) -> float:
    """Return until when the work of an attempt was kept, or may still be."""
    if attempt.outcome is None:
        return max(now, seconds_of(attempt.saved_at or attempt.started_at))
    until = attempt.ended_at if attempt.outcome == Outcome.DONE else attempt.saved_at
    return seconds_of(until or attempt.started_at)


def _starting_s(attempt: Attempt, steps: float | None) -> float | None:
    """Return how much longer the first checkpoint took than its steps do, where later saves tell their pace."""
    is_done = attempt.outcome == Outcome.DONE
    until, last = (attempt.ended_at, steps) if is_done else (attempt.saved_at, attempt.last_step)
    first_at, first = attempt.first_saved_at, attempt.first_saved_step
    if first_at is None or first is None or until is None or last is None or last <= first:
        return None
    pace_s = _between(first_at, until) / (last - first)
    return max(0.0, _between(attempt.started_at, first_at) - pace_s * (first - (attempt.first_step or 0)))


def _between(start: str, end: str) -> float:
    return seconds_of(end) - seconds_of(start)
