"""A table in any of its shapes as rows, one after the other: a DataFrame, a CSV or dictionaries."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from lrtkit.jobs.csvfile import NAMES, PIECE, CsvFile, refuse_twins
from lrtkit.wire.errors import BadInput

Table: TypeAlias = pd.DataFrame | str | PathLike[str] | Iterable[Mapping[str, Any]]
"""What can be submitted: a DataFrame, the path of a CSV, or dictionaries."""


_SHAPES = "a DataFrame, the path of a CSV, or dictionaries"


@dataclass(frozen=True)
class Row:
    """A row as it was given, and ``label``, what messages call it."""

    label: Hashable
    cells: Mapping[Any, Any]


@dataclass(frozen=True)
class Rows:
    """The rows of a table, each made when it is asked for, once; ``total`` is how many, where that is known."""

    total: int | None
    rows: Iterator[Row]

    def __iter__(self) -> Iterator[Row]:
        return self.rows


def read(table: Table) -> Rows:
    """Return the rows of a table; raise BadInput, at once or at the row, where it is none.

    Levels of an index that have a name are columns. An index of text without one gives the
    ``job_id``, where no column does; every other index only labels the rows.
    """
    if isinstance(table, (str, PathLike)):
        file = CsvFile(Path(table))
        return Rows(file.total, (row for piece in file.pieces() for row in _of_piece(piece, piece.index)))
    if isinstance(table, pd.DataFrame):
        return Rows(len(table), _of_frame(table))
    if not isinstance(table, Iterable):
        raise BadInput(f"{table!r} is no table. Try: {_SHAPES}")
    return Rows(len(table) if isinstance(table, Sized) else None, _of_mappings(table))


def _of_mappings(table: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    for place, cells in enumerate(table):
        if not isinstance(cells, Mapping):
            raise BadInput(f"row {place} is {cells!r}. Try: {_SHAPES}")
        yield Row(place, cells)


def _of_frame(frame: pd.DataFrame) -> Iterator[Row]:
    whole = _with_index(frame)
    refuse_twins(whole.columns.tolist())
    pieces = (slice(start, start + PIECE) for start in range(0, len(frame), PIECE))
    return (row for piece in pieces for row in _of_piece(whole[piece], frame.index[piece]))


def _of_piece(frame: pd.DataFrame, labels: pd.Index[Any]) -> Iterator[Row]:
    names = frame.columns.tolist()
    columns = [frame.iloc[:, place].astype(object).tolist() for place in range(frame.shape[1])]
    for label, values in zip(labels.tolist(), zip(*columns, strict=True) if columns else (), strict=False):
        yield Row(label, dict(zip(names, values, strict=True)))


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
