"""What a set-up needs done, told before anything is, and what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lrtkit.queues.parts import Part, same
from lrtkit.queues.table import Table
from lrtkit.wire.errors import LrtError

Changes = Mapping[str, tuple[str | None, str]]
"""An attribute's old and new value; None where there was none."""


class Action(StrEnum):
    """What is to be done about a part."""

    CREATE = "create"
    KEEP = "keep"
    CHANGE = "change"
    REMOVE = "remove"


class Outcome(StrEnum):
    """What it came to."""

    CREATED = "created"
    KEPT = "kept"
    CHANGED = "changed"
    REMOVED = "removed"


_OUTCOMES = dict(zip(Action, Outcome, strict=True))


@dataclass(frozen=True)
class Step:
    """A part, what is to be done about it, and the attributes that this makes another."""

    kind: str
    name: str
    action: Action
    changes: Changes = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """What doing it comes to."""
        return _OUTCOMES[self.action]

    def __str__(self) -> str:
        changes = ", ".join(f"{name} {_or_nothing(old)} → {new}" for name, (old, new) in self._changed)
        return f"{self.action} {self.kind} {self.name}" + (f": {changes}" if changes else "")

    @property
    def _changed(self) -> Iterable[tuple[str, tuple[str | None, str]]]:
        """What is worth a word: of a part that is made, nothing was before."""
        return self.changes.items() if self.action is Action.CHANGE else ()


@dataclass(frozen=True)
class Plan(Table):
    """What would be done, a step a part; it shows itself as a table with a row an attribute."""

    steps: tuple[Step, ...]

    columns = ("action", "part", "name", "attribute", "found", "wanted")

    @property
    def is_settled(self) -> bool:
        """Tell whether everything is as wanted already."""
        return all(step.action is Action.KEEP for step in self.steps)

    @property
    def rows(self) -> Sequence[tuple[str, ...]]:
        """The steps, a row an attribute that becomes another."""
        return [row for step in self.steps for row in _rows(step)]

    def __repr__(self) -> str:
        return "\n".join(map(str, self.steps))


@dataclass(frozen=True)
class Made:
    """What was done, a line a part."""

    parts: tuple[Step, ...]

    @property
    def is_nothing(self) -> bool:
        """Tell whether everything was as wanted already."""
        return all(part.outcome is Outcome.KEPT for part in self.parts)

    def __repr__(self) -> str:
        return "\n".join(str(part).replace(part.action, part.outcome, 1) for part in self.parts)


def compare(parts: Iterable[Part]) -> Plan:
    """Look at each part, and return what it would take to make it as wanted; nothing is changed."""
    return Plan(tuple(_merged(_step(part) for part in parts)))


def settle(parts: Iterable[Part]) -> Made:
    """Make each part as wanted, in their order, and return what was done; an error says what was done before it."""
    return _one_by_one(parts, _settled)


def clear(parts: Iterable[Part]) -> Made:
    """Remove the parts, in their order, and return which were there; an error says which are gone already."""
    return _one_by_one(parts, _cleared)


def _one_by_one(parts: Iterable[Part], deal_with: Callable[[Part], Step | None]) -> Made:
    steps: list[Step] = []
    for part in parts:
        try:
            step = deal_with(part)
        except LrtError as error:
            done = [each for each in _merged(steps) if each.action is not Action.KEEP]
            if not done:
                raise
            told = ", ".join(f"{each.outcome} {each.kind} {each.name}" for each in done)
            raise type(error)(f"{told} (the same again goes on from there); then {error}") from error
        steps += [step] if step else []
    return Made(tuple(_merged(steps)))


def _step(part: Part) -> Step:
    found, wanted = part.found(), part.wanted()
    if found is None:
        return Step(part.kind, part.name, Action.CREATE, {name: (None, value) for name, value in wanted.items()})
    changes = {name: (found.get(name), value) for name, value in wanted.items() if not same(found.get(name), value)}
    return Step(part.kind, part.name, Action.CHANGE if changes else Action.KEEP, changes)


def _settled(part: Part) -> Step:
    step = _step(part)
    if step.action is Action.CREATE:
        part.create()
    elif step.action is Action.CHANGE:
        part.change({name: new for name, (_, new) in step.changes.items()})
    return step


def _cleared(part: Part) -> Step | None:
    return Step(part.kind, part.name, Action.REMOVE) if part.remove() else None


def _merged(steps: Iterable[Step]) -> Iterator[Step]:
    """Make one step of those about one part, of which the first decides; they stand where the first did."""
    merged: dict[tuple[str, str], Step] = {}
    for step in steps:
        first = merged.setdefault((step.kind, step.name), step)
        action = first.action if step.action is Action.KEEP or first.action is Action.CREATE else step.action
        merged[step.kind, step.name] = Step(step.kind, step.name, action, {**first.changes, **step.changes})
    yield from merged.values()


def _rows(step: Step) -> Iterator[tuple[str, ...]]:
    """Return a row an attribute that becomes another, and of a part that is not there one row for all."""
    if step.action is not Action.CHANGE:
        wanted = ", ".join(f"{name} {new}" for name, (_, new) in step.changes.items())
        yield str(step.action), step.kind, step.name, "", "", wanted
        return
    for name, (old, new) in step.changes.items():
        yield str(step.action), step.kind, step.name, name, _or_nothing(old), new


def _or_nothing(value: str | None) -> str:
    return "nothing" if value is None else value
