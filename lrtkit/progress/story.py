"""A job's story in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from lrtkit import shown
from lrtkit.progress import frames
from lrtkit.progress.spending import Spent, spent
from lrtkit.progress.view import JobState, View
from lrtkit.wire.record import Cause, Outcome, Record

_UNITS = ((172_800, 86_400, "days"), (7_200, 3_600, "h"), (120, 60, "min"))

_ENDS = {
    Cause.NODE_GONE: ("node vanished", "nodes vanished"),
    Cause.STOPPED: ("stop signal", "stop signals"),
    Cause.HANDOVER: ("hand-over", "hand-overs"),
    Cause.WORKLOAD: ("stop by the workload itself", "stops by the workload itself"),
}

_UNTAKEN = {
    JobState.UNSENT: "Its submission is under way or broke off. Try: submit the table again.",
    JobState.QUEUED: "No worker has taken it yet. Try: see whether one runs, and what it logs.",
    JobState.EXPIRED: "The queue has dropped its message after 14 days. Try: submit the table again.",
    JobState.DONE: "A worker that keeps no record has left its result.",
    JobState.CANCELLED: "No worker had taken it.",
}


@dataclass(frozen=True, repr=False)
class Story:
    """What happened to a job: ``text`` in sentences, ``frame`` of its attempts, and of the last failure two texts.

    ``traceback`` is that of Python, and ``output`` the last lines that the workload printed; each may be missing.
    ``frame`` has a row an attempt as ``Progress.attempts`` has them, and the seconds that were useful
    (``useful_s``), done again later (``redone_s``), spent before the attempt while nobody held the job
    (``waiting_s``), and until the work began (``starting_s``, missing where the checkpoints do not tell).
    """

    job_id: str
    text: str
    frame: pd.DataFrame
    traceback: str | None = None
    output: str | None = None

    @property
    def evidence(self) -> list[str]:
        """Traceback and output, as far as there are any; where the one ends the other it is told once."""
        texts = [text.strip() for text in (self.traceback, self.output) if text]
        return texts[1:] if len(texts) > 1 and texts[1].endswith(texts[0]) else texts

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        lines = "<br>".join(shown.text(self.text).splitlines())
        return f"<p>{lines}</p>" + "".join(f"<pre>{shown.text(text)}</pre>" for text in self.evidence)


def tell(view: View) -> Story:
    """Return the story of a job."""
    times = list(spent(view))
    error = view.record.error if view.record else None
    texts = (error.traceback or None, error.output or None) if error else ()
    return Story(view.job_id, "\n".join(_sentences(view, times)), _frame(view, times), *texts)


def _sentences(view: View, times: Sequence[Spent]) -> Iterator[str]:
    yield f"{view.job_id} is {view.state}{_reached(view)}."
    if view.damage:
        yield f"{view.damage[:1].upper()}{view.damage[1:]}."
    record = view.record
    if record is None or not record.attempts:
        if not view.damage and view.state in _UNTAKEN:
            yield _UNTAKEN[view.state]
        return
    yield _received(record)
    if view.state is JobState.EXPIRED:
        yield _UNTAKEN[JobState.EXPIRED]
    if record.cancel_requested_at and not record.state.final:
        yield f"It was asked to stop at {record.cancel_requested_at}."
    if record.error:
        there = [what for what in ("traceback", "output") if getattr(record.error, what)]
        kept = f"; see its {' and '.join(there)}" if there else ""
        yield f"The last failure was {record.error.type}: {record.error.message.rstrip('.')}{kept}."
    yield _where_time_went(times)
    if len(record.attempts) < record.counts.attempts:
        yield f"Of its attempts the last {len(record.attempts)} are known in detail."


def _reached(view: View) -> str:
    if view.step is None or view.steps is None:
        return "" if view.step is None else f", at step {view.step:,}"
    return f", at step {view.step:,} of {view.steps:,}"


def _received(record: Record) -> str:
    """Tell how often a job was received, and what became of that."""
    failures = max(record.counts.failures, sum(each.outcome == Outcome.FAILED for each in record.attempts))
    told = [_counted(count, *_ENDS[Cause(cause)]) for cause, count in record.interruptions.items()]
    told += [_counted(failures, "failure", "failures")] if failures else []
    return f"It was received {_times(record.counts.attempts)}{': ' if told else ''}{', '.join(told)}."


def _where_time_went(times: Sequence[Spent]) -> str:
    sums = {
        "useful": sum(each.useful_s for each in times),
        "redone": sum(each.redone_s for each in times),
        "waiting": sum(each.waiting_s for each in times),
        "starting": sum(each.starting_s or 0.0 for each in times),
    }
    total = sum(sums.values())
    shares = (f"{duration(sums[name])} {name} ({_share(sums[name], total)})" for name in sums)
    return f"Of {duration(total)}: {', '.join(shares)}."


def duration(seconds: float) -> str:
    """Return a time in the unit that it is thought of in."""
    for least, unit_s, name in _UNITS:
        if seconds >= least:
            return f"{seconds / unit_s:.1f} {name}"
    return f"{seconds:.0f} s"


def _share(part: float, total: float) -> str:
    return f"{part / total:.0%}" if total else "0%"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _frame(view: View, times: Sequence[Spent]) -> pd.DataFrame:
    frame = frames.attempts([view]).drop(columns=["job_id", "steps"])
    columns: Mapping[str, list[float | None]] = {
        "useful_s": [each.useful_s for each in times],
        "redone_s": [each.redone_s for each in times],
        "waiting_s": [each.waiting_s for each in times],
        "starting_s": [each.starting_s for each in times],
    }
    return frame.assign(**{name: pd.Series(values, dtype="float64") for name, values in columns.items()})
