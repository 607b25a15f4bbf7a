"""DataFrames for a shell: a table on a terminal, CSV in a pipe, JSON where it is asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from textwrap import indent
from typing import Any

import pandas as pd

from lrtkit.progress.story import Story


class Form(StrEnum):
    """How a frame is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


PIECE = 10_000
"""Rows that are turned into text at once."""


def frame(table: pd.DataFrame, form: Form) -> Iterator[str]:
    """Give a frame as text, piece by piece, with its index.

    Times that have passed are seconds, but in a table for the eye.
    """
    return _WRITERS[form](table)


def story(told: Story, form: Form) -> str:
    """Return a job's story: its sentences, or the CSV of its attempts, or both in one JSON object."""
    if form is Form.CSV:
        return "".join(_csv(told.frame.set_index("generation")))
    if form is Form.JSON:
        facts = {name: getattr(told, name) for name in ("job_id", "text", "traceback", "output")}
        facts["attempts"] = list(_rows(told.frame.set_index("generation")))
        return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    return "".join(f"{text}\n" for text in (told.text, *(f"\n{text}" for text in told.evidence)))


def _table(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        yield f"no rows; columns: {', '.join(table.columns)}\n"
    else:
        shown = {column.name: column.map(_shown) for _, column in _columns(table)}
        yield f"{pd.DataFrame(shown, dtype=object).to_string(index=False)}\n"


def _json(table: pd.DataFrame) -> Iterator[str]:
    before = "[\n"
    for row in _rows(table):
        yield before + indent(json.dumps(row, indent=1, ensure_ascii=False), " ")
        before = ",\n"
    yield "\n]\n" if len(table) else "[]\n"


class _Line:
    """What a CSV is written to, to get each line back."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def _csv(table: pd.DataFrame) -> Iterator[str]:
    names = [_name(column) for _, column in _columns(table)]
    writer = csv.writer(_Line(), lineterminator="\n")
    yield str(writer.writerow(names))
    for row in _rows(table):
        yield str(writer.writerow([_cell(value) for value in row.values()]))


_WRITERS: Mapping[Form, Callable[[pd.DataFrame], Iterator[str]]] = {
    Form.TABLE: _table,
    Form.CSV: _csv,
    Form.JSON: _json,
}


def _columns(table: pd.DataFrame) -> Iterator[tuple[Any, pd.Series[Any]]]:
    yield from table.reset_index().items()


def _rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for start in range(0, len(table), PIECE):
        named = _columns(table[start : start + PIECE])
        columns = {_name(column): [_value(value) for value in column.astype(object)] for _, column in named}
        yield from (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _shown(value: Any) -> Any:
    """Return a cell for the eye: times to the second, and nothing where there is nothing."""
    if not isinstance(value, (dict, list)) and pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, timedelta):
        return str(timedelta(seconds=round(value.total_seconds())))
    return f"{value:.6g}" if isinstance(value, float) else value


def _name(column: pd.Series[Any]) -> str:
    return f"{column.name}_s" if pd.api.types.is_timedelta64_dtype(column) else str(column.name)


def _value(value: Any) -> Any:
    """Return a cell as JSON has it; a gap is None."""
    if isinstance(value, (dict, list)):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else value
