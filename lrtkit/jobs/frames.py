"""What a table would change, and what became of it, as DataFrames that a million jobs fit into."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lrtkit.jobs.difference import Action, Difference
from lrtkit.shown import verdict

SENT = ("sent", "queued")
MOST_ROWS = 12
"""How many rows a receipt shows of itself; how many there are stands above them."""


class Receipt(pd.DataFrame):
    """What became of a table's rows: a frame like any other, which shows how many were sent above them.

    ``.attrs["notes"]`` has a sentence for whatever the plan would not survive.
    """

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame  # a part of it is no receipt any more

    def __repr__(self) -> str:
        with pd.option_context("display.max_rows", MOST_ROWS):
            return "\n".join([f"{_told(self)}.", *self.attrs.get("notes", ()), super().__repr__()])

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_rows", MOST_ROWS):
            # None where pandas was told to show no HTML; its stubs do not know of it.
            table: str | None = super()._repr_html_()  # type: ignore[misc]
        return table and f"{verdict(_told(self), self.attrs.get('notes', ()))}{table}"


def plan(differences: Iterable[Difference]) -> pd.DataFrame:
    """Return a row a job: what a submission would do, and where the job stands; see ``Experiment.diff``."""
    return _frame(differences, _planned, ["action", "state", "changed"])


def receipt(differences: Iterable[Difference]) -> Receipt:
    """Return a row a job: what the submission does; see ``Experiment.submit``."""
    return Receipt(_frame(differences, _done, ["outcome", "state"]))


def _told(receipt: pd.DataFrame) -> str:
    """Return ``9 jobs: 1 sent, 8 known``."""
    counts = receipt["outcome"].value_counts()
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items() if number)
    return f"{len(receipt):,} job{'' if len(receipt) == 1 else 's'}{f': {told}' if told else ''}"


def _planned(difference: Difference) -> tuple[str, str, str | None]:
    changes = ", ".join(change.name for change in difference.changes()) if difference.is_change else None
    return str(difference.action), str(difference.state), changes or None


def _done(difference: Difference) -> tuple[str, str]:
    return SENT if difference.action is Action.SEND else ("known", str(difference.state))


class _Words:
    """A column of few different words: four bytes a cell while it grows, then one."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._known: dict[str, int] = {}

    def add(self, word: str | None) -> None:
        self._codes.append(-1 if word is None else self._known.setdefault(word, len(self._known)))

    def made(self) -> pd.Categorical[str]:
        """Return the cells."""
        return pd.Categorical.from_codes(np.asarray(self._codes), pd.Index(self._known, dtype="str"))


def _frame(
    differences: Iterable[Difference], row: Callable[[Difference], Sequence[str | None]], names: Sequence[str]
) -> pd.DataFrame:
    ids: list[str] = []
    columns = [_Words() for _ in names]
    for difference in differences:
        ids.append(difference.job.job_id)
        for column, word in zip(columns, row(difference), strict=True):
            column.add(word)
    made = {name: column.made() for name, column in zip(names, columns, strict=True)}
    return pd.DataFrame(made, index=pd.Index(ids, name="job_id", dtype="str"))
