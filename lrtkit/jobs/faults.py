"""What is wrong with a table, all of it at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pandas as pd

from lrtkit.wire.errors import BadInput

SHOWN = 5
KEPT = 1_000
"""Faults that are kept of each kind, however many there are."""

_VALUE_WIDTH = 40


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: with a cell, with a row (no column), or with the table (neither)."""

    problem: str
    row: Hashable = None
    column: str | None = None
    value: Any = None

    def __str__(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        column = None if self.column is None else f"column {self.column}"
        where = ", ".join(part for part in (row, column) if part)
        return f"{where}: {self.problem}" if where else self.problem


@dataclass
class Faults:
    """The faults of a table: the first of them, and how many there are."""

    first: list[Fault] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, *faults: Fault) -> Faults:
        """Return these few."""
        return cls(list(faults), len(faults))

    def add(self, found: Iterable[Fault], count: int) -> None:
        """Take note of so many faults, of which only those that are kept need to be made."""
        self.first += islice(found, max(0, KEPT - len(self.first)))
        self.count += count

    def extend(self, others: Faults) -> None:
        """Take note of other faults, after these."""
        self.add(others.first, others.count)

    def refuse(self) -> None:
        """Raise BadTable where there are any."""
        if self.count:
            raise BadTable(self)


class BadTable(BadInput):
    """A table that cannot be submitted as it is; nothing of it has been sent.

    ``count`` is how many faults it has. ``faults`` is a DataFrame of the first thousand, a row a fault:
    ``row`` (the label in the table's index; of a CSV and of dictionaries the place, from 0),
    ``column``, ``value`` and ``problem``.
    """

    def __init__(self, found: Faults) -> None:
        told = f"{found.count:,} faults" if found.count > 1 else "one fault"
        lines = [f"nothing was sent, as the table has {told}:", *(f"  {fault}" for fault in found.first[:SHOWN])]
        if found.count > SHOWN:
            lines.append(f"  … and {found.count - SHOWN:,} more. Try: show the `.faults` of this error, a DataFrame")
        super().__init__("\n".join(lines))
        self.count = found.count
        self._found = found.first

    @property
    def faults(self) -> pd.DataFrame:
        """The faults, a row each."""
        rows = [(fault.row, fault.column, fault.value, fault.problem) for fault in self._found]
        return pd.DataFrame(rows, columns=["row", "column", "value", "problem"], dtype=object)


def shortened(value: object) -> str:
    """Return how a message shows a value, however long it is."""
    text = repr(value)
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 1]}…"
