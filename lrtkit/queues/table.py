"""Tables that show themselves: as text, as HTML in a notebook, and as a DataFrame where pandas is."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import pandas as pd

LONGEST_CELL = 100


class Table:
    """Rows of words below the names of their columns."""

    columns: ClassVar[tuple[str, ...]]

    @property
    def rows(self) -> Sequence[tuple[str, ...]]:
        """The rows, each with a word for each column."""
        raise NotImplementedError

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame."""
        pandas = importlib.import_module("pandas")  # the core is without it
        frame: pd.DataFrame = pandas.DataFrame(self.rows, columns=list(self.columns))
        return frame

    def text(self) -> str:
        """Return the rows for a terminal, each column as wide as it needs."""
        rows = [self.columns, *self.rows]
        widths = [max(len(row[place]) for row in rows) for place in range(len(self.columns))]
        lines = ("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) for row in rows)
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(word: str) -> str:
    short = word if len(word) <= LONGEST_CELL else f"{word[:LONGEST_CELL]}…"
    title = f" title='{escape(word)}'" if short != word else ""
    return f"<td style='text-align:left'{title}>{escape(short)}</td>"
