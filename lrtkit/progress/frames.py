"""From views to DataFrames; arithmetic only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lrtkit.progress import spending
from lrtkit.progress.columns import Column, counts, durations, fractions, natural, numbers, texts, times
from lrtkit.progress.view import JobState, View
from lrtkit.wire.clock import iso
from lrtkit.wire.record import Attempt, Cause, Outcome, Record, State

ERROR_WIDTH = 120

_STATUS: dict[str, Column] = {
    "job_id": texts,
    "state": texts,
    "step": numbers,
    "steps": numbers,
    "progress": fractions,
    "attempts": counts,
    "interruptions": counts,
    "causes": texts,
    "failures": counts,
    "machine": texts,
    "saved_at": times,
    "rate_per_s": fractions,
    "time_left": durations,
    "age": durations,
    "error": texts,
}

_ATTEMPTS: dict[str, Column] = {
    "job_id": texts,
    "generation": counts,
    "worker": texts,
    "machine": texts,
    "started_at": times,
    "ended_at": times,
    "first_step": numbers,
    "last_step": numbers,
    "steps": numbers,
    "outcome": texts,
    "cause": texts,
}


def status(views: Sequence[View]) -> pd.DataFrame:
    """Return a row a job; see ``Progress.status``."""
    return _frame(_STATUS, map(_status, views)).set_index("job_id")


def attempts(views: Sequence[View]) -> pd.DataFrame:
    """Return a row an attempt; see ``Progress.attempts``."""
    rows = (_attempt(view, attempt) for view in views if view.record for attempt in view.record.attempts)
    return _frame(_ATTEMPTS, rows)


def results(views: Sequence[View], values: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row a job: its fields, and what it came to; see ``Progress.results``."""
    index = pd.Index([view.job_id for view in views], name="job_id", dtype="str")
    fields = [{name: value for name, value in (view.fields or {}).items() if name != "job_id"} for view in views]
    taken = {"job_id", *(name for row in fields for name in row)}
    named = [_named(values[view.job_id], taken) if view.job_id in values else {} for view in views]
    rows = [{**row, **result} for row, result in zip(fields, named, strict=True)]
    columns = dict.fromkeys([name for part in (fields, named) for row in part for name in row])
    data = {name: natural([row.get(name) for row in rows]).set_axis(index) for name in columns}
    return pd.DataFrame(data, index=index)


def _status(view: View) -> dict[str, Any]:
    record = view.record or Record(State.WAITING)
    last = record.attempts[-1] if record.attempts else None
    return {
        "job_id": view.job_id,
        "state": str(view.state),
        "step": view.step,
        "steps": view.steps,
        "progress": _progress(view),
        "attempts": record.counts.attempts,
        "interruptions": record.counts.interruptions,
        "causes": _causes(record),
        "failures": record.counts.failures,
        "machine": last.machine if last else None,
        "saved_at": _saved_at(view),
        "rate_per_s": spending.pace_per_s(view),
        "time_left": spending.left_s(view),
        "age": spending.age_s(view),
        "error": _error(view),
    }


_SPOKEN: Mapping[str, str] = {Cause.STOPPED: "stop signal"}
"""Causes that records call otherwise than people do."""


def _causes(record: Record) -> str | None:
    often = sorted(record.interruptions.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {_SPOKEN.get(cause, cause)}" for cause, count in often) or None


def _progress(view: View) -> float | None:
    if view.state is JobState.DONE:
        return 1.0
    return min(1.0, (view.step or 0) / view.steps) if view.steps else None


def _saved_at(view: View) -> str | None:
    if view.record is None or view.record.checkpoint is None:
        return None
    if view.record.is_guides and view.written_at is not None:
        return iso(view.written_at)
    return view.record.checkpoint.saved_at


def _error(view: View) -> str | None:
    if view.damage:
        return view.damage
    if view.state is JobState.DONE or not (view.record and view.record.error):
        return None
    error = view.record.error
    line = " ".join(f"{error.type}: {error.message}".split())
    return line if len(line) <= ERROR_WIDTH else f"{line[: ERROR_WIDTH - 1]}…"


def _attempt(view: View, attempt: Attempt) -> dict[str, Any]:
    is_last = attempt.outcome == Outcome.DONE and view.steps is not None
    return {
        "job_id": view.job_id,
        "generation": attempt.generation,
        "worker": attempt.worker,
        "machine": attempt.machine,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "first_step": attempt.first_step,
        "last_step": view.steps if is_last else attempt.last_step,
        "steps": view.steps,
        "outcome": attempt.outcome or State.RUNNING,
        "cause": attempt.cause,
    }


def _named(value: Any, taken: Collection[str]) -> dict[str, Any]:
    """Return a result as columns, none of which has the name of another."""
    row: dict[str, Any] = {}
    for path, leaf in _leaves(value):
        name = path
        while name in taken or name in row:
            name = f"result.{name}"
        row[name] = leaf
    return row


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give an object's members each, those of objects in it by their paths, with dots."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else name)
    else:
        yield path or "result", value


def _frame(columns: Mapping[str, Column], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    found = list(rows)
    return pd.DataFrame({name: make([row[name] for row in found]) for name, make in columns.items()})
