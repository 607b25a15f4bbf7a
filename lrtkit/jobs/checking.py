"""From the rows of a table to jobs: everything is checked, and every fault is told, before one is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrtkit.jobs.difference import Difference, Known
from lrtkit.jobs.faults import BadTable, Fault, shortened
from lrtkit.jobs.table import NAMES, Row, Table, read
from lrtkit.jobs.values import Unfit, plain
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput
from lrtkit.wire.job import Job, check_job_id, fingerprint

ID_DIGITS = 16
"""How many hexadecimal digits of the fingerprint name a job that the table does not name."""

SHOWN_TWINS = 5


@dataclass(frozen=True)
class Rules:
    """What jobs are checked against: ``largest`` is the size of the largest message in bytes."""

    experiment: str
    largest: int
    required: Sequence[str] = ()
    known: Mapping[str, Known] = field(default_factory=dict)


def check(table: Table, rules: Rules) -> list[Job]:
    """Return a table's jobs, in its order; raise BadTable with every fault that there is.

    A job is called ``<experiment>/<name>``. Its name is the ``job_id`` of the row, else its ``name``,
    else the first 16 digits of the fingerprint of all its fields; one that begins with
    ``<experiment>/`` is the whole id. All other columns are the job's fields.
    """
    rows = read(table)
    faults = list(_of_table(rows, rules.required))
    jobs: dict[Hashable, Job] = {}
    by_id: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        job, found = _job(row, rules)
        faults += found
        if job:
            by_id[job.job_id].append(row)
            jobs[job.job_id] = job
    faults += [fault for job_id, twins in by_id.items() if len(twins) > 1 for fault in _of_twins(job_id, twins)]
    if faults:
        raise BadTable(faults)
    return list(jobs.values())


def _of_table(rows: Sequence[Row], required: Sequence[str]) -> Iterator[Fault]:
    if not rows:
        yield Fault("the table has no rows. Try: a row a job")
        return
    columns = dict.fromkeys(column for row in rows for column in row.cells)
    for name in (column for column in columns if not isinstance(column, str)):
        yield Fault("the name of a column must be text. Try: df.rename(columns=str)", column=repr(name))
    for name in required:
        if name not in columns:
            there = ", ".join(map(str, columns))
            yield Fault(f"there is no column {name!r}, only {there}. Try: add it, or submit(…, required=())")
            continue
        yield from (Fault("is missing", row=row.label, column=name) for row in rows if name not in row.cells)


def _job(row: Row, rules: Rules) -> tuple[Job | None, list[Fault]]:
    """Return the job of a row, as far as there is one, and what is wrong with the row."""
    fields: dict[str, Any] = {}
    faults: list[Fault] = []
    for column, value in row.cells.items():
        if not isinstance(column, str):
            continue  # told once for the whole table
        try:
            fields[column] = plain(value)
        except (Unfit, RecursionError) as error:
            problem = str(error) if isinstance(error, Unfit) else "is nested too deeply"
            faults.append(Fault(problem, row=row.label, column=column, value=value))
    namer = _namer(row)
    if faults and (namer is None or namer not in fields):
        return None, faults
    try:
        name = fingerprint(fields)[:ID_DIGITS] if namer is None else _text(fields.pop(namer))
        job = Job({"job_id": _job_id(name, rules.experiment), **fields})
    except BadInput as error:
        value = row.cells[namer] if namer else None
        return None, [*faults, Fault(str(error), row=row.label, column=namer, value=value)]
    return job, faults or [fault for fault in _of_job(job, row, rules) if fault]


def _text(name: Any) -> Any:
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


def _job_id(name: Any, experiment: str) -> str:
    is_whole = isinstance(name, str) and name.startswith(f"{experiment}/")
    job_id = check_job_id(name if is_whole or not isinstance(name, str) else f"{experiment}/{name}")
    taken = next((part for part in job_id.split("/") if part in keys.RESERVED), None)
    if taken:
        raise BadInput(f"job_id {job_id!r} has the part {taken!r}, which the bucket needs for itself")
    return job_id


def _of_job(job: Job, row: Row, rules: Rules) -> Iterator[Fault]:
    if "steps" in job.fields and (job.steps is None or job.steps < 1):
        problem = f"must be a whole number of at least 1, not {shortened(job.fields['steps'])}"
        yield Fault(problem, row=row.label, column="steps", value=job.fields["steps"])
    size = len(job.body.encode())
    if size > rules.largest:
        column = max(job.fields, key=lambda name: len(str(job.fields[name])))
        problem = f"the job has {size:,} bytes as a message, and the queue takes {rules.largest:,}"
        yield Fault(
            f"{problem}. Try: keep this value in a file", row=row.label, column=column, value=row.cells.get(column)
        )
    yield from _of_change(job, row, rules.known.get(job.job_id))


def _of_change(job: Job, row: Row, known: Known | None) -> Iterator[Fault]:
    """Tell where a job differs from the one that has its id already."""
    difference = Difference(job, known)
    if known is None or not difference.is_change:
        return
    advice = f"and {job.job_id} is {known.state}. Try: another job_id for the changed job"
    if known.fields is None:
        yield Fault(f"the job's record was made with other values, {advice}", row=row.label, column="job_id")
        return
    for name, old, new in ((change.name, change.old, change.new) for change in difference.changes()):
        was = f"was {shortened(old[name])}" if old else "was not there"
        now = f"is {shortened(new[name])}" if new else "is gone"
        problem = f"{was} when submitted and {now}, {advice}"
        yield Fault(problem, row=row.label, column=name, value=new.get(name))


def _of_twins(job_id: str, twins: Sequence[Row]) -> Iterator[Fault]:
    for row in twins:
        others = [other for other in twins[: SHOWN_TWINS + 1] if other is not row][:SHOWN_TWINS]
        more = len(twins) - 1 - len(others)
        told = ", ".join(str(other.label) for other in others) + (f" and {more} more" if more else "")
        namer = _namer(row)
        if namer:
            problem = f"{job_id} is also the job of row {told}. Try: a {namer} of its own for each row"
            yield Fault(problem, row=row.label, column=namer, value=row.cells[namer])
        else:
            yield Fault(
                f"has the same values as row {told}. Try: drop one, or add a column such as seed", row=row.label
            )


def _namer(row: Row) -> str | None:
    return next((column for column in NAMES if column in row.cells), None)
