"""Cells as JSON values."""

from __future__ import annotations

import enum
import json
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lrtkit.jobs.values import Unfit, plain


class Method(enum.StrEnum):
    """Text with a type of its own."""

    FAST = "fast"


class Level(enum.IntEnum):
    """Numbers with a type of their own."""

    HIGH = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (2**70, 2**70),
        (True, True),
        (1.0, 1.0),
        ("ü\u2028\t", "ü\u2028\t"),
        (np.int64(7), 7),
        (np.uint8(7), 7),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.longdouble("0.5"), 0.5),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (Method.FAST, "fast"),
        (Level.HIGH, 3),
        (pd.Timestamp("2026-11-24 10:00", tz="UTC"), "2026-11-24T10:00:00+00:00"),
        (pd.Timestamp("2026-11-24 10:00:00.123456789"), "2026-11-24T10:00:00.123456789"),
        (datetime(2026, 11, 24, 10, tzinfo=UTC), "2026-11-24T10:00:00+00:00"),
        (date(2026, 11, 24), "2026-11-24"),
        (np.datetime64("2026-11-24T10:00:00"), "2026-11-24T10:00:00"),
        ([1, (2.0, "a"), {"b": [3]}], [1, [2.0, "a"], {"b": [3]}]),
        (MappingProxyType({"a": np.int32(1)}), {"a": 1}),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(5), 5),
        (np.array(["2026-11-24"], dtype="datetime64[ns]"), ["2026-11-24T00:00:00"]),
        ([], []),
        ({}, {}),
    ],
)
def test_values_keep_their_meaning(value: Any, expected: Any) -> None:
    """Every value that JSON has goes through as what it is, of Python's own types."""
    found = plain(value)
    assert (found, type(found)) == (expected, type(expected))
    assert json.loads(json.dumps(found)) == expected


GIVE = "give it one, or drop the row"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, f"has no value. Try: {GIVE}"),
        (float("nan"), f"has no value. Try: {GIVE}"),
        (np.float32("nan"), f"has no value. Try: {GIVE}"),
        (pd.NA, f"has no value. Try: {GIVE}"),
        (pd.NaT, f"has no value. Try: {GIVE}"),
        (np.datetime64("NaT", "ns"), f"has no value. Try: {GIVE}"),
        (float("-inf"), "is infinite. Try: a finite number, or text"),
        ([1, {"a": [2, None]}], f"has no value at [1]['a'][1]. Try: {GIVE}"),
        ({"lr": np.inf}, "is infinite at ['lr']. Try: a finite number, or text"),
        (np.array([1.0, np.nan]), f"has no value at [1]. Try: {GIVE}"),
        ({1: "a"}, "has the key 1, which is no text. Try: the key '1'"),
        ("\ud800", "has the character U+D800, which no message can carry. Try: text without it"),
        ({"\uffff": 1}, "has the character U+FFFF, which no message can carry at ['\\uffff']. Try: text without it"),
        (1 + 2j, "is of type complex, which JSON has not. Try: a text or a number"),
        (np.complex64(1), "is of type complex64, which JSON has not. Try: a text or a number"),
        (b"bytes", "is of type bytes, which JSON has not. Try: a text or a number"),
        (Decimal("0.1"), "is of type Decimal, which JSON has not. Try: a text or a number"),
        (uuid.UUID(int=0), "is of type UUID, which JSON has not. Try: a text or a number"),
        (timedelta(1), "is of type timedelta, which JSON has not. Try: a text or a number"),
        (np.timedelta64(1, "ns"), "is of type timedelta64, which JSON has not. Try: a text or a number"),
        ({1, 2}, "is of type set, which JSON has not. Try: a text or a number"),
        (pd.Series([1]), "is of type Series, which JSON has not. Try: a text or a number"),
    ],
)
def test_what_json_has_not_is_refused(value: Any, problem: str) -> None:
    """What cannot be carried is refused with the place inside the cell, rather than turned into something else."""
    with pytest.raises(Unfit) as caught:
        plain(value)
    assert str(caught.value) == problem
