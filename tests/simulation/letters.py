"""Letters: the messages of a queue in memory, in their groups."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Place(Enum):
    """Where a letter is."""

    VISIBLE = "ApproximateNumberOfMessages"
    IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
    DELAYED = "ApproximateNumberOfMessagesDelayed"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Letter:
    """A message in the queue; ``visible_at`` is when it comes back, ``receipt`` what the latest receive gave."""

    body: str
    group: str
    once: str
    attributes: Mapping[str, Any]
    message_id: str
    sequence: int
    sent: float
    place: Place = Place.VISIBLE
    visible_at: float = 0.0
    received: float = 0.0
    first_received: float = 0.0
    receives: int = 0
    source: str = ""

    @property
    def receipt(self) -> str:
        """The handle of the latest receive."""
        return f"{self.message_id}:{self.receives}"


@dataclass(slots=True, eq=False)
class Group:
    """The letters of one group in the order in which they were sent, and how many of them are in flight."""

    letters: OrderedDict[int, Letter] = field(default_factory=OrderedDict)
    in_flight: int = 0

    @property
    def ready(self) -> int | None:
        """The sequence of its first letter if that can be received: none of the group is in flight."""
        if self.in_flight or not self.letters:
            return None
        first = next(iter(self.letters.values()))
        return first.sequence if first.place is Place.VISIBLE else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A receive that can be repeated under its id: what it gave, with the receipts of then."""

    at: float
    given: tuple[tuple[Letter, str, float], ...]
