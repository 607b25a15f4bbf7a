"""What a table would change, and what became of it, as DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from lrtkit.jobs.difference import Action, Difference

SENT = ("sent", "queued")


def plan(differences: Sequence[Difference]) -> pd.DataFrame:
    """Return a row a job: what a submission would do, and where the job stands; see ``Experiment.diff``."""
    return _frame(differences, map(_planned, differences), ["action", "state", "changed"])


def receipt(differences: Sequence[Difference]) -> pd.DataFrame:
    """Return a row a job: what the submission did; see ``Experiment.submit``."""
    rows = (SENT if each.action is Action.SEND else ("known", each.state) for each in differences)
    return _frame(differences, rows, ["outcome", "state"])


def _planned(difference: Difference) -> tuple[str, str, str | None]:
    changes = ", ".join(change.name for change in difference.changes()) if difference.is_change else None
    return str(difference.action), str(difference.state), changes or None


def _frame(
    differences: Sequence[Difference], rows: Iterable[Sequence[str | None]], columns: Sequence[str]
) -> pd.DataFrame:
    index = pd.Index([each.job.job_id for each in differences], name="job_id", dtype="str")
    return pd.DataFrame([list(map(_text, row)) for row in rows], index=index, columns=list(columns), dtype="str")


def _text(value: str | None) -> str | None:
    return None if value is None else str(value)
