"""Columns with the type that their values have, of which any may be None."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pandas as pd

Values: TypeAlias = Sequence[Any]
Column: TypeAlias = Callable[[Values], "pd.Series[Any]"]


def texts(values: Values) -> pd.Series[Any]:
    """Return text."""
    return pd.Series(values, dtype="str")


def counts(values: Values) -> pd.Series[Any]:
    """Return whole numbers, none of them missing."""
    return pd.Series(values, dtype="int64")


def fractions(values: Values) -> pd.Series[Any]:
    """Return numbers as floats."""
    return pd.Series(values, dtype="float64")


def numbers(values: Values) -> pd.Series[Any]:
    """Return whole numbers as such, with gaps where they are missing; floats where one has a fraction."""
    whole = all(value is None or isinstance(value, int) for value in values)
    return pd.Series(values, dtype="Int64" if whole else "Float64")


def times(values: Values) -> pd.Series[Any]:
    """Return ISO 8601 times as timestamps in UTC."""
    return pd.to_datetime(pd.Series(values, dtype="str"), utc=True, format="ISO8601").astype("datetime64[us, UTC]")


def durations(values: Values) -> pd.Series[Any]:
    """Return seconds as times that have passed, to the second."""
    return pd.to_timedelta(pd.Series(values, dtype="float64").round(), unit="s").astype("timedelta64[s]")


def natural(values: Values) -> pd.Series[Any]:
    """Return values of JSON in the type that all of them have: a gap does not turn whole numbers into floats."""
    kinds = {type(value) for value in values if value is not None}
    gaps = any(value is None for value in values)
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if gaps else "bool")
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pd.Series(values, dtype="Int64" if gaps else "int64")
    if float in kinds and kinds <= {int, float}:
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype="str" if kinds == {str} else "object")
