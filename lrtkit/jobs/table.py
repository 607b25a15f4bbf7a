"""A table in any of its shapes as rows: a DataFrame, a CSV or dictionaries."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from lrtkit.jobs.faults import BadTable, Fault
from lrtkit.wire.errors import BadInput

Table: TypeAlias = pd.DataFrame | str | PathLike[str] | Iterable[Mapping[str, Any]]
"""What can be submitted: a DataFrame, the path of a CSV, or dictionaries."""

NAMES = ("job_id", "name")
"""The columns that name a job, the first that is there."""


MOST_DIGITS = 18
"""Whole numbers of so many digits fit into 64 bits."""

_CSV: dict[str, Any] = {
    "dtype": dict.fromkeys(NAMES, "string"),
    "dtype_backend": "numpy_nullable",  # so that an empty cell does not turn a column of integers into floats
    "index_col": False,
    "low_memory": False,  # else the type of a column is guessed anew every few thousand rows
    "encoding": "utf-8-sig",
}


@dataclass(frozen=True)
class Row:
    """A row as it was given, and ``label``, what messages call it."""

    label: Hashable
    cells: Mapping[Any, Any]


def read(table: Table) -> list[Row]:
    """Return the rows of a table; raise BadInput where it is none.

    Levels of an index that have a name are columns. An index of text without one gives the
    ``job_id``, where no column does; every other index only labels the rows.
    """
    if isinstance(table, (str, PathLike)):
        return _of_frame(_read_csv(Path(table)))
    if isinstance(table, pd.DataFrame):
        return _of_frame(table)
    rows = [Row(place, cells) for place, cells in enumerate(table)]
    strange = next((row for row in rows if not isinstance(row.cells, Mapping)), None)
    if strange:
        raise BadInput(
            f"row {strange.label} is {strange.cells!r}. Try: a DataFrame, the path of a CSV, or dictionaries"
        )
    return rows


def _of_frame(frame: pd.DataFrame) -> list[Row]:
    labels = frame.index.tolist()
    frame = _with_index(frame)
    _refuse_twins(frame.columns.tolist())
    columns = [frame.iloc[:, place].astype(object).tolist() for place in range(frame.shape[1])]
    names = frame.columns.tolist()
    cells = zip(*columns, strict=True) if columns else ()
    return [Row(label, dict(zip(names, values, strict=True))) for label, values in zip(labels, cells, strict=False)]


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with all of its index that says something about the jobs in columns."""
    index = frame.index
    named = [name for name in index.names if name is not None]
    twin = next((name for name in named if name in frame.columns), None)
    if twin is not None:
        raise BadInput(
            f"{twin!r} is both in the index and a column. Try: df.reset_index(drop=True), or drop the column"
        )
    if named:
        return frame.reset_index(level=named)
    if pd.api.types.is_string_dtype(index) and set(NAMES).isdisjoint(frame.columns) and len(index):
        return frame.assign(job_id=index)
    return frame


def _refuse_twins(names: list[Any]) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise BadTable([Fault("is there more than once", column=str(name)) for name in twins])


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV so that integers, numbers and truth values are what they look like, and names are text."""
    if not path.is_file():
        raise BadInput(f"there is no CSV {path}. Try: the path from {Path.cwd()}, or a full one")
    _check_header(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of rows that are longer than the header
            frame: pd.DataFrame = pd.read_csv(path, **_CSV)
    except (ValueError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise BadInput(f"{path} cannot be read as a CSV: {reason}. Try: UTF-8, commas, one header") from error
    _refuse_mixtures(frame)
    return frame


def _check_header(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        header = next(csv.reader(file), [])
    if not header:
        raise BadTable([Fault("the table is empty. Try: a header and a row a job")])
    nameless = [place for place, name in enumerate(header) if not name.strip()]
    if nameless:
        fault = Fault(f"column {nameless[0]} has no name. Try: name it, or write the CSV by to_csv(index=False)")
        raise BadTable([fault])
    _refuse_twins(header)


def _refuse_mixtures(frame: pd.DataFrame) -> None:
    """Refuse text in a column of numbers: one slip of the pen would turn all numbers of the column into text."""
    faults = [fault for name in frame if name not in NAMES for fault in _mixture(name, frame[name])]
    if faults:
        raise BadTable(faults)


def _mixture(name: Any, column: pd.Series[Any]) -> list[Fault]:
    if not pd.api.types.is_string_dtype(column):
        return []
    given = column.dropna()
    strange = given[pd.to_numeric(given, errors="coerce").isna()]
    if len(strange) > len(given) / 2:
        return []
    problem = "is no number, as most of the column are"
    if strange.empty:  # numbers all of them, and yet text: pandas has no type for whole numbers of so many digits
        strange, problem = given[given.str.len() > MOST_DIGITS], "has more digits than a whole number of a CSV can have"
    advice = f"{problem}. Try: mend it, or submit a DataFrame"
    return [Fault(advice, row=row, column=name, value=value) for row, value in strange.items()]
