"""A history: everything that happened, in order, and its hash, which is the same whenever its seed is run again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that ``who`` did or suffered at a time, in seconds since the history began."""

    at: float
    who: str
    what: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        days, rest = divmod(self.at, 86_400)
        hours, rest = divmod(rest, 3600)
        minutes, seconds = divmod(rest, 60)
        clock = f"{days:3.0f}d {hours:02.0f}:{minutes:02.0f}:{seconds:06.3f}"
        facts = "  ".join(f"{name}={_short(value)}" for name, value in self.facts.items())
        return f"{clock}  {self.who:<12} {self.what:<18} {facts}".rstrip()


@dataclass
class History:
    """Keeps events; ``time`` tells the seconds since the history began."""

    time: Callable[[], float]
    is_verbose: bool = False
    events: list[Event] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    def __call__(self, who: str, what: str, **facts: Any) -> None:
        """Take down that something happened, as long as the history is not over."""
        if self.is_over:
            return
        self.events.append(Event(self.time(), who, what, facts))

    def fault(self, who: str, kind: str, **facts: Any) -> None:
        """Take down a fault, and count it by its kind."""
        self.faults[kind] += 1
        self(who, "FAULT", kind=kind, **facts)

    def of(self, *whats: str) -> Iterator[Event]:
        """Return the events of some kinds, in order."""
        return (event for event in self.events if event.what in whats)

    @property
    def digest(self) -> str:
        """The hash of everything that happened."""
        sha = hashlib.sha256()
        for event in self.events:
            sha.update(f"{event.at!r} {event.who} {event.what} {event.facts!r}\n".encode())
        return sha.hexdigest()


def _short(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
