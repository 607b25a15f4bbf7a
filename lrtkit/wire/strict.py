"""JSON from outside, read strictly: what comes back can be written again, and what cannot is a ValueError that says so.

Python's own reader takes NaN and infinities, which are no JSON, and nests so deeply that nothing can be
done with the value afterwards.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_WIDTH = 40

DEEPEST = 100
"""Levels of lists and objects: Python's own limits lie not far above."""


def loads(text: str | bytes) -> Any:
    """Return the value of a JSON text; raise ValueError with the reason where it is none."""
    if not text.strip():
        raise ValueError("it is empty")
    try:
        value = json.loads(text, **NUMBERS)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no UTF-8 text but binary from byte {error.start} on") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    if _may_be_deeper(text) and _is_deeper(value, DEEPEST):
        raise ValueError(_TOO_DEEP)
    return value


def fault(value: Any, path: str) -> str | None:
    """Return what in a Python value JSON has not, and where below ``path`` it is; None where there is no such thing."""
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path} is {value}"
    if value is None or isinstance(value, (str, int)):
        return None
    if isinstance(value, (list, tuple)):
        inside = (fault(part, f"{path}[{place}]") for place, part in enumerate(value))
    elif isinstance(value, dict):
        inside = (fault(part, f"{path}[{name!r}]") for name, part in value.items())
    else:
        return f"{path} is of type {type(value).__name__}"
    return next((found for found in inside if found), None)


def shown(value: Any) -> str:
    """Return how a message shows a JSON value, however long it is."""
    if isinstance(value, (dict, list)):
        return name_of(value)
    text = json.dumps(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def name_of(value: Any) -> str:
    """Return what JSON calls a value of this type."""
    if value is None:
        return "null"
    return _NAMES[type(value)]


_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}

_TOO_DEEP = f"it has more than {DEEPEST} levels of lists and objects"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"it holds the number {digits[:20]}, which is beyond what a float can hold")
    return number


NUMBERS: dict[str, Any] = {"parse_constant": _refuse_constant, "parse_float": _finite}
"""What has Python's reader take those numbers only that JSON has and a float can hold."""


def _may_be_deeper(text: str | bytes) -> bool:
    """Tell by counting brackets, which takes next to no time, whether a look at each value is needed."""
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    return brackets > DEEPEST


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)
