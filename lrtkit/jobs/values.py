"""A cell's value as the JSON value that a message carries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from lrtkit.wire.job import UNSENDABLE


class Unfit(ValueError):
    """A value that no message can carry; ``path`` leads to it inside the cell, ``advice`` out of the trouble."""

    def __init__(self, problem: str, advice: str, path: str = "") -> None:
        super().__init__(f"{problem}{f' at {path}' if path else ''}. Try: {advice}")
        self.problem = problem
        self.advice = advice
        self.path = path


def plain(value: Any) -> Any:
    """Return a value as JSON has it; raise Unfit where it has none.

    Integers stay integers, scalars of NumPy become Python's, times ISO 8601, arrays and tuples lists;
    mappings and lists keep their shape.
    """
    exact = _EXACT.get(type(value))
    if exact:
        return exact(value)
    return next((convert for kinds, convert in _KINDS if isinstance(value, kinds)), _refuse)(value)


def _same(value: Any) -> Any:
    return value


def _text(value: str) -> str:
    found = UNSENDABLE.search(value)
    if found:
        raise Unfit(f"has the character U+{ord(found[0]):04X}, which no message can carry", "text without it")
    return str.__str__(value)  # the value of a text that is a member of an Enum


def _number(value: Any) -> float:
    if math.isnan(value):
        raise _no_value()
    if math.isinf(value):
        raise Unfit("is infinite", "a finite number, or text")
    return float(value)


def _items(values: Iterable[Any]) -> list[Any]:
    return [_inside(value, f"[{place}]") for place, value in enumerate(values)]


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    strange = next((key for key in value if not isinstance(key, str)), None)
    if strange is not None:
        raise Unfit(f"has the key {strange!r}, which is no text", f"the key {str(strange)!r}")
    return {_inside(key, f"[{key!r}]"): _inside(part, f"[{key!r}]") for key, part in value.items()}


def _array(value: np.ndarray[Any, Any]) -> Any:
    return _items(value) if value.ndim else plain(value[()])


def _inside(value: Any, path: str) -> Any:
    try:
        return plain(value)
    except Unfit as unfit:
        raise Unfit(unfit.problem, unfit.advice, path + unfit.path) from None


def _missing(_: object) -> Any:
    raise _no_value()


def _no_value() -> Unfit:
    return Unfit("has no value", "give it one, or drop the row")


def _refuse(value: object) -> Any:
    raise Unfit(f"is of type {type(value).__name__}, which JSON has not", "a text or a number")


_EXACT: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _same,
    bool: _same,
    float: _number,
    type(None): _missing,
    list: _items,
    dict: _mapping,
}

_KINDS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((type(pd.NaT), type(pd.NA)), _missing),  # before dates, as NaT is one of those too
    (str, _text),
    ((float, np.floating), _number),
    (int, int),
    (date, lambda value: value.isoformat()),
    (np.datetime64, lambda value: plain(pd.Timestamp(value))),
    ((np.timedelta64, np.complexfloating), _refuse),
    (np.generic, lambda value: plain(value.item())),
    (np.ndarray, _array),
    (Mapping, _mapping),
    (tuple, _items),
)
"""What is none of the exact types, by the first kind that it belongs to."""
