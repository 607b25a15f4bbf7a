"""What a table would change, and what became of it, as DataFrames that a million jobs fit into."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from lrtkit.jobs.difference import Action, Difference

SENT = ("sent", "queued")


def plan(differences: Iterable[Difference]) -> pd.DataFrame:
    """Return a row a job: what a submission would do, and where the job stands; see ``Experiment.diff``."""
    return _frame(differences, _planned, ["action", "state", "changed"])


def receipt(differences: Iterable[Difference]) -> pd.DataFrame:
    """Return a row a job: what the submission does; see ``Experiment.submit``."""
    return _frame(differences, _done, ["outcome", "state"])


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
