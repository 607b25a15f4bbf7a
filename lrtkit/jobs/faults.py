"""What is wrong with a table, all of it at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lrtkit.wire.errors import BadInput

SHOWN = 5
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


class BadTable(BadInput):
    """A table that cannot be submitted as it is; nothing of it has been sent.

    ``faults`` is a DataFrame, a row a fault: ``row`` (the label in the table's index; of a CSV and of
    dictionaries the place, from 0), ``column``, ``value`` and ``problem``.
    """

    def __init__(self, found: Sequence[Fault]) -> None:
        count = f"{len(found)} faults" if len(found) > 1 else "one fault"
        lines = [f"nothing was sent, as the table has {count}:", *(f"  {fault}" for fault in found[:SHOWN])]
        if len(found) > SHOWN:
            lines.append(f"  … and {len(found) - SHOWN} more. Try: show the `.faults` of this error, a DataFrame")
        super().__init__("\n".join(lines))
        self._found = found

    @property
    def faults(self) -> pd.DataFrame:
        """All faults, a row each."""
        rows = [(fault.row, fault.column, fault.value, fault.problem) for fault in self._found]
        return pd.DataFrame(rows, columns=["row", "column", "value", "problem"], dtype=object)


def shortened(value: object) -> str:
    """Return how a message shows a value, however long it is."""
    text = repr(value)
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 1]}…"
