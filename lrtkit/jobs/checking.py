"""From the rows of a table to jobs: everything is checked, and every fault is told, before one is sent."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lrtkit.jobs.csvfile import NAMES
from lrtkit.jobs.difference import Difference, Known
from lrtkit.jobs.faults import Fault, Faults, shortened
from lrtkit.jobs.table import Row
from lrtkit.jobs.values import Unfit, plain
from lrtkit.wire import keys, shape
from lrtkit.wire.errors import BadInput
from lrtkit.wire.job import TIMEOUT, Job, check_job_id, fingerprint

ID_DIGITS = 16
"""How many hexadecimal digits of the fingerprint name a job that the table does not name."""

SHOWN_TWINS = 5

_NAMERS = (*NAMES, None)
"""What can name a job, the first that a row has; None: the row's values."""


@dataclass(frozen=True)
class Rules:
    """What jobs are checked against: ``largest`` is how many bytes one may have."""

    experiment: str
    largest: int
    required: Sequence[str] = ()
    known: Mapping[str, Known] = field(default_factory=dict)


def check(rows: Iterable[Row], rules: Rules) -> Iterator[Job]:
    """Give the jobs of a table's rows, in their order; at its end raise BadTable with every fault that there is.

    A job is called ``<experiment>/<name>``. Its name is the ``job_id`` of the row, else its ``name``,
    else the first 16 digits of the fingerprint of all its fields; one that begins with
    ``<experiment>/`` is the whole id. All other columns are the job's fields.
    """
    columns, twins, of_rows = _Columns(rules.required), _Twins(rules.experiment), Faults()
    for row in rows:
        columns.add(row)
        job, found = _job(row, rules)
        of_rows.add(found, len(found))
        twins.add(row, job)
        if job and not found:
            yield job
    faults = columns.faults()
    faults.extend(of_rows)
    faults.extend(twins.faults())
    faults.refuse()


class _Columns:
    """The columns of a table, and the rows that miss one."""

    def __init__(self, required: Sequence[str]) -> None:
        self._rows = 0
        self._there: dict[Any, None] = {}
        names = [required] if isinstance(required, str) else required
        self._missing = {name: Faults() for name in names}

    def add(self, row: Row) -> None:
        self._rows += 1
        self._there.update(dict.fromkeys(row.cells))
        for name, faults in self._missing.items():
            if name not in row.cells:
                faults.add([Fault("is missing", row=row.label, column=name)], 1)

    def faults(self) -> Faults:
        """Tell what is wrong with the table as a whole, and where it has holes."""
        if not self._rows:
            return Faults.of(Fault("the table has no rows. Try: a row a job"))
        nameless = (name for name in self._there if not isinstance(name, str))
        advice = "the name of a column must be text. Try: df.rename(columns=str)"
        found = Faults.of(*(Fault(advice, column=repr(name)) for name in nameless))
        for name, faults in self._missing.items():
            found.extend(faults if name in self._there else Faults.of(self._absent(name)))
        return found

    def _absent(self, name: str) -> Fault:
        there = ", ".join(map(str, self._there))
        return Fault(f"there is no column {name!r}, only {there}. Try: add it, or submit(…, required=())")


class _Twins:
    """The ids of a table, to find those that are there more than once."""

    def __init__(self, experiment: str) -> None:
        self._experiment = experiment
        self._ids: list[str | None] = []
        self._namers = bytearray()
        self._labels: dict[int, Hashable] = {}

    def add(self, row: Row, job: Job | None) -> None:
        if type(row.label) is not int or row.label != len(
            self._ids
        ):  # mostly a label is the place, and a million of those need no room
            self._labels[len(self._ids)] = row.label
        self._namers.append(_NAMERS.index(_namer(row)))
        self._ids.append(job.job_id if job else None)

    def faults(self) -> Faults:
        """Tell each row whose job another row has too, by the order of the jobs."""
        ids, found = pd.Series(self._ids, dtype=object).dropna(), Faults()
        for job_id, places in ids[ids.duplicated(keep=False)].groupby(ids, sort=False).groups.items():
            first = places[: SHOWN_TWINS + 1].tolist()
            found.add((self._fault(str(job_id), place, first, len(places) - 1) for place in places), len(places))
        return found

    def _fault(self, job_id: str, place: int, first: Sequence[int], twins: int) -> Fault:
        others = [other for other in first if other != place][:SHOWN_TWINS]
        more = twins - len(others)
        told = ", ".join(str(self._label(other)) for other in others) + (f" and {more:,} more" if more else "")
        row, namer = self._label(place), _NAMERS[self._namers[place]]
        if namer is None:
            return Fault(f"has the same values as row {told}. Try: drop one, or add a column such as seed", row=row)
        name = job_id.removeprefix(f"{self._experiment}/")
        problem = f"{job_id} is also the job of row {told}. Try: a {namer} of its own for each row"
        return Fault(problem, row=row, column=namer, value=name)

    def _label(self, place: int) -> Hashable:
        return self._labels.get(place, place)


def _job(row: Row, rules: Rules) -> tuple[Job | None, list[Fault]]:
    """Return the job of a row, as far as there is one, and what is wrong with the row."""
    fields: dict[str, Any] = {}
    faults: list[Fault] = []
    for column, value in row.cells.items():
        if not isinstance(column, str):
            continue  # told once for the whole table
        try:
            fields[plain(column)] = plain(value)
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
    limit = job.fields.get(TIMEOUT, 1)
    if not (shape.is_step(limit) and limit > 0):  # which a worker would take for no limit
        problem = f"must be a number of seconds above 0, not {shortened(limit)}. Try: drop it where there is no limit"
        yield Fault(problem, row=row.label, column=TIMEOUT, value=limit)
    size = len(job.body.encode())
    if size > rules.largest:
        column = max(job.fields, key=lambda name: len(str(job.fields[name])))
        problem = f"the job has {size:,} bytes, and no more than {rules.largest:,} can be sent"
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


def _namer(row: Row) -> str | None:
    return next((column for column in NAMES if column in row.cells), None)
