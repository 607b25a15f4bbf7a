"""Values of JSON as the dataclasses that they were written from, with every field looked at.

What is not as its annotation says raises Misshapen, which tells where it is and what it should be.
A field that nobody knows is left out, so that a later kit can write more than this one reads.
"""

from __future__ import annotations

import functools
import math
import re
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from lrtkit.wire import strict
from lrtkit.wire.clock import seconds_of

T = TypeVar("T")
Read = Callable[[Any], Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

LIMIT = 2**63
"""What a column of whole numbers can hold: one number beyond would take the whole table with it."""


class Misshapen(ValueError):
    """A value that is not as declared; ``path`` leads to it."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(f"{path} {problem}")
        self.problem = problem
        self.path = path


def is_step(value: Any) -> bool:
    """Tell whether a value is a number that a column can hold; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LIMIT


def is_count(value: Any) -> bool:
    """Tell whether a value is a whole number of at least 0 that a column can hold."""
    return is_step(value) and isinstance(value, int) and value >= 0


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _is_iso(value)


@functools.lru_cache
def _is_iso(text: str) -> bool:
    """Tell whether a text is a time; several of a record's times are the same."""
    try:
        return bool(_TIME.fullmatch(text)) and seconds_of(text) < math.inf
    except (ValueError, OverflowError):
        return False


Count = Annotated[int, "a whole number of at least 0, within 64 bits", is_count]
Step = Annotated[float, "a number within 64 bits", is_step]
Time = Annotated[str, "a time such as 2026-11-24T10:00:00.000Z", _is_time]


def read(kind: Callable[..., T], found: Any, path: str) -> T:
    """Return a value of a type, such as a dataclass, from its JSON; raise Misshapen with where below ``path`` it is."""
    value: T = _at(path, _reader(kind), found)
    return value


@functools.cache
def _reader(kind: Hashable) -> Read:
    """Return the function that reads values of a type: made once, as there are thousands of values."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value: value
    if origin is Annotated:
        return _plain(*args[1:])
    if origin is types.UnionType or type(None) in args:
        return _optional(_reader(next(each for each in args if each is not type(None))))
    if origin is tuple:
        return _items(_reader(args[0]))
    if origin is not None:
        return _members(_reader(args[1]))
    return _of_class(cast("type", kind))


def _of_class(kind: type) -> Read:
    if is_dataclass(kind):
        return _object(kind)
    if issubclass(kind, StrEnum):
        return _word(kind)
    what = {str: "a text", bool: "true or false", dict: "an object", list: "a list"}[kind]
    return _plain(what, lambda value: type(value) is kind)


def _plain(what: str, fits: Callable[[Any], bool]) -> Read:
    def one(value: Any) -> Any:
        if fits(value):
            return value
        raise Misshapen(f"is {strict.shown(value)} and must be {what}")

    return one


def _word(kind: type[StrEnum]) -> Read:
    words = {str(word): word for word in kind}
    text = _plain(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)
    return lambda value: words[text(value)]


def _optional(present: Read) -> Read:
    return lambda value: None if value is None else present(value)


def _items(item: Read) -> Read:
    def several(value: Any) -> tuple[Any, ...]:
        return tuple([_at(f"[{place}]", item, each) for place, each in enumerate(_LIST(value))])

    return several


def _members(member: Read) -> Read:
    def several(value: Any) -> Mapping[str, Any]:
        return {name: _at(f"[{name!r}]", member, each) for name, each in _DICT(value).items()}

    return several


def _object(kind: type) -> Read:
    hints = get_type_hints(kind, include_extras=True)
    members = [(field.name, _reader(hints[field.name])) for field in fields(kind)]

    def one(value: Any) -> Any:
        found = _DICT(value)
        name = ""
        made = {}
        try:
            for name, member in members:
                made[name] = member(found[name])
        except KeyError:
            raise Misshapen("is missing", f".{name}") from None
        except Misshapen as fault:
            raise Misshapen(fault.problem, f".{name}{fault.path}") from None
        return kind(**made)

    return one


def _at(path: str, member: Read, value: Any) -> Any:
    try:
        return member(value)
    except Misshapen as fault:
        raise Misshapen(fault.problem, path + fault.path) from None


_DICT = _of_class(dict)
_LIST = _of_class(list)
