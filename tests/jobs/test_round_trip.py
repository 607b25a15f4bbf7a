"""From a DataFrame to messages, through the bucket, and back to a DataFrame."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit import submissions
from lrtkit.jobs import BadTable, Rules, check, read
from lrtkit.progress import View, frames
from lrtkit.submissions import Line
from lrtkit.wire.job import parse

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\uffff\ufffe"), max_size=10)
NESTED = st.recursive(
    st.integers() | st.booleans() | TEXT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
).filter(lambda value: isinstance(value, (list, dict)))

COLUMNS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "str": TEXT,
    "object": NESTED,
    "datetime64[us, UTC]": st.datetimes(pd.Timestamp(1700, 1, 1), pd.Timestamp(2200, 1, 1)),
}


def there_and_back(frame: pd.DataFrame) -> pd.DataFrame:
    """Submit a frame, let the bucket keep it and the worker read it, and return what results show of it."""
    kept = b"".join(Line(job.fields, job.fingerprint).written() for job in check(read(frame), Rules("exp", 10**6)))
    lines = submissions.parse(kept)
    assert [parse(line.parcel.body).fields for line in lines] == [line.fields for line in lines]
    return frames.results([View(line.job_id, line.fields) for line in lines], {})


@given(st.data(), st.integers(1, 4))
def test_a_frame_comes_back_as_it_went(data: st.DataObject, rows: int) -> None:
    """Every column has its values and its type again; times are ISO 8601, from which they come back exactly."""
    chosen = data.draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=5))
    columns: dict[str, pd.Series[Any]] = {"name": pd.Series([f"j{row}" for row in range(rows)], dtype="str")}
    for place, dtype in enumerate(chosen):
        values = data.draw(st.lists(COLUMNS[dtype], min_size=rows, max_size=rows))
        made = pd.Series([None] * rows, dtype="object")
        made[:] = [pd.Timestamp(str(value), tz="UTC") for value in values] if dtype.startswith("datetime") else values
        columns[f"{place}"] = made.astype(cast("Any", dtype))
    frame = pd.DataFrame(columns)
    back = there_and_back(frame)
    for name, column in frame.drop(columns="name").items():
        found = back[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            found = pd.to_datetime(found, format="ISO8601").astype(column.dtype)
        pd.testing.assert_series_equal(found.reset_index(drop=True), column)


@given(st.integers(0, 30), st.integers(0, 2), st.sampled_from([None, float("nan"), pd.NA, pd.NaT]))
def test_a_gap_is_told_by_row_and_column(row: int, column: int, gap: Any) -> None:
    """Nothing is made up for a value that is missing, wherever it is."""
    frame = pd.DataFrame({"a": range(31), "b": 0.5, "c": "text"}).astype(object)
    frame.iloc[row, column] = gap
    with pytest.raises(BadTable) as caught:
        there_and_back(frame)
    assert caught.value.faults[["row", "column"]].to_numpy().tolist() == [[row, "abc"[column]]]
