"""The types of columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.progress.columns import natural, numbers, times


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2], "int64"),
        ([1, None], "Int64"),
        ([2**63], "object"),
        ([True, False], "bool"),
        ([True, None], "boolean"),
        ([True, 1], "object"),
        ([1, 0.5], "float64"),
        ([0.5, None], "float64"),
        (["a", None], "str"),
        ([[1], None], "object"),
        ([None], "object"),
        ([], "object"),
    ],
)
def test_natural_types(values: list[Any], dtype: str) -> None:
    """A column has the narrowest type that holds its values and its gaps."""
    column = natural(values)
    assert str(column.dtype) == dtype
    assert column.isna().tolist() == [value is None for value in values]


@given(st.lists(st.none() | st.integers() | st.booleans() | st.text(max_size=3)))
def test_natural_columns_keep_values(values: list[Any]) -> None:
    """No value is changed by the type of its column, other than whole numbers beside fractions."""
    column = natural(values)
    assert [value for value, gap in zip(column.tolist(), column.isna(), strict=True) if not gap] == [
        value for value in values if value is not None
    ]


def test_steps_may_be_fractions() -> None:
    """Whole numbers with gaps stay whole; one fraction makes floats."""
    assert str(numbers([1, None]).dtype) == "Int64"
    assert str(numbers([1, None, 0.5]).dtype) == "Float64"


def test_times_are_of_one_unit() -> None:
    """Times with and without fractions, and none at all, have one type."""
    assert {
        str(times(values).dtype) for values in ([], [None], ["2026-11-24T10:00:00Z", "2026-11-24T10:00:00.5Z"])
    } == {"datetime64[us, UTC]"}
