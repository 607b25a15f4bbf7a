"""DataFrames for a shell: a table on a terminal, CSV in a pipe, JSON where it is asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pandas as pd

from lrtkit.progress.story import Story


class Form(StrEnum):
    """How a frame is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def frame(table: pd.DataFrame, form: Form) -> str:
    """Return a frame as text, with its index; times that have passed are seconds, but in a table for the eye."""
    return _WRITERS[form](table)


def story(told: Story, form: Form) -> str:
    """Return a job's story: its sentences, or the CSV of its attempts, or both in one JSON object."""
    if form is Form.CSV:
        return _csv(told.frame.set_index("generation"))
    if form is Form.JSON:
        attempts = list(_rows(told.frame.set_index("generation")))
        facts = {"job_id": told.job_id, "text": told.text, "traceback": told.traceback, "attempts": attempts}
        return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    return f"{told.text}\n" + (f"\n{told.traceback.rstrip()}\n" if told.traceback else "")


def _table(table: pd.DataFrame) -> str:
    if table.empty:
        return f"no rows; columns: {', '.join(table.columns)}\n"
    shown = {column.name: column.map(_shown) for _, column in _columns(table)}
    return f"{pd.DataFrame(shown, dtype=object).to_string(index=False)}\n"


def _json(table: pd.DataFrame) -> str:
    return json.dumps(list(_rows(table)), indent=1, ensure_ascii=False) + "\n"


def _csv(table: pd.DataFrame) -> str:
    text = io.StringIO()
    names = [_name(column) for _, column in _columns(table)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in _rows(table))
    return text.getvalue()


_WRITERS: Mapping[Form, Callable[[pd.DataFrame], str]] = {Form.TABLE: _table, Form.CSV: _csv, Form.JSON: _json}


def _columns(table: pd.DataFrame) -> Iterator[tuple[Any, pd.Series[Any]]]:
    yield from table.reset_index().items()


def _rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    columns = {_name(column): [_value(value) for value in column.astype(object)] for _, column in _columns(table)}
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
