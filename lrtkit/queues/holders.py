"""Who holds which keys, and since when, as a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lrtkit.queues.policies import Role
from lrtkit.queues.table import Table

_DAY_S = 86_400


@dataclass(frozen=True)
class Key:
    """A key of a role's user: since when there is one, and whether it is in the role's env file."""

    role: Role
    id: str
    made_at: datetime | None
    in_file: bool


@dataclass(frozen=True)
class Holders(Table):
    """A row for each key, by its public half."""

    keys: tuple[Key, ...]
    now: datetime

    columns = ("role", "key", "made", "days old", "in its env file")

    @classmethod
    def of(cls, keys: Sequence[Key]) -> Holders:
        """Return the table as of now."""
        return cls(tuple(keys), datetime.now(UTC))

    @property
    def rows(self) -> Sequence[tuple[str, ...]]:
        """The keys as words; where the service does not tell since when, nothing stands there."""
        return [
            (str(key.role), key.id, *self._age(key.made_at), "yes" if key.in_file else "no, so that it can be retired")
            for key in self.keys
        ]

    def _age(self, made_at: datetime | None) -> tuple[str, str]:
        if made_at is None:
            return "", ""
        return f"{made_at:%Y-%m-%d}", f"{(self.now - made_at).total_seconds() / _DAY_S:.0f}"

    def __repr__(self) -> str:
        return self.text()
