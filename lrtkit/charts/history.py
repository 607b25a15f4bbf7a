"""The attempts frame made ready to draw: in order, progress as a fraction, ends sorted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lrtkit.charts.style import BLACK, INK, ORANGE, PURPLE, VERMILLION, count, numbers
from lrtkit.wire.record import Outcome

RUNNING = "running"


@dataclass(frozen=True)
class End:
    """One kind of end of an attempt, with the marker and colours that it has in every chart."""

    words: str
    marker: str
    face: str
    edge: str = "white"
    scale: float = 1.0

    def look(self, size_pt: float) -> dict[str, Any]:
        """Return how matplotlib is to draw it."""
        colours = {"color": self.face, "markeredgecolor": self.edge, "markeredgewidth": size_pt / 10}
        return {"linestyle": "none", "marker": self.marker, "markersize": size_pt * self.scale, **colours}


FAILURE = End("failure", "s", BLACK)
CANCELLED = End("cancelled", "P", "white", INK)
OTHER = End("interrupted", "o", "white", INK)
# A stop that the worker was told of costs no work, whoever asked for it: one group.
ASKED = End("asked to stop", ">", ORANGE, INK)
# By the frame's words: one that is not here still gets its mark, as OTHER.
BY_CAUSE = {
    "node gone": End("node gone", "X", VERMILLION, scale=1.25),
    "lease lost": End("lease lost", "D", PURPLE, scale=0.9),
    "sigterm": ASKED,
    "hand-over": ASKED,
    "workload": ASKED,
}
ENDS = (*dict.fromkeys(BY_CAUSE.values()), OTHER, FAILURE, CANCELLED)


def end_of(outcome: object, cause: object) -> End | None:
    """Return the kind of end that charts mark; None for done and running."""
    if outcome == Outcome.INTERRUPTED:
        return BY_CAUSE.get(str(cause), OTHER)
    return {str(Outcome.FAILED): FAILURE, str(Outcome.CANCELLED): CANCELLED}.get(str(outcome))


def cause_words(cause: object) -> str:
    """Return a cause as people call it."""
    return "stop signal" if cause == "sigterm" else str(cause)


def tidy(attempts: pd.DataFrame, now: pd.Timestamp | None = None) -> pd.DataFrame:
    """Return the attempts that began, in order of time, with what the charts draw.

    Columns: ``job_id, machine, outcome, cause, first_step, last_step, steps`` as given, ``began`` and
    ``ended`` (times; an attempt that runs ends ``now``, by default at the last time in the frame),
    ``low`` and ``high`` (progress from 0 to 1, NaN where the steps are not known), ``end`` (End or None).
    """
    rows = attempts[attempts["started_at"].notna()]
    rows = rows.sort_values(["started_at", "generation"], kind="stable", ignore_index=True)
    began, ended = (pd.to_datetime(rows[name], utc=True) for name in ("started_at", "ended_at"))
    runs = rows["outcome"].isna() | (rows["outcome"] == RUNNING)
    latest = now if now is not None else pd.concat([began, ended]).max()
    ended = ended.mask(runs & ended.isna(), latest).fillna(began)
    rows = rows.assign(
        began=began,
        ended=ended.where(ended > began, began),
        outcome=rows["outcome"].astype(object).mask(runs, RUNNING),
        machine=rows["machine"].fillna("unknown machine").astype(str),
    )
    ends = [end_of(*pair) for pair in zip(rows["outcome"], rows["cause"], strict=True)]
    return _with_progress(rows.assign(end=pd.Series(ends, dtype=object)))


def _with_progress(rows: pd.DataFrame) -> pd.DataFrame:
    total = pd.Series(numbers(rows["steps"])).groupby(rows["job_id"]).transform("max").to_numpy()
    first = np.nan_to_num(numbers(rows["first_step"]))
    last = numbers(rows["last_step"])
    last = np.where(np.isnan(last), first, last)
    done = (rows["outcome"] == Outcome.DONE).to_numpy()
    total = np.where(np.isnan(total) & done, last, total)
    total = np.where(total > 0, total, np.nan)
    return rows.assign(low=np.clip(first / total, 0, 1), high=np.where(done, 1.0, np.clip(last / total, 0, 1)))


def last_attempts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each job's last attempt, indexed by job_id in order of the jobs' first attempts."""
    return rows.drop_duplicates("job_id", keep="last").set_index("job_id").loc[rows["job_id"].unique()]


def headline(rows: pd.DataFrame) -> str:
    """Return the fact: ``24 jobs, 9 interruptions, all finished``."""
    lasts = Counter(last_attempts(rows)["outcome"])
    jobs, interruptions = sum(lasts.values()), int((rows["outcome"] == Outcome.INTERRUPTED).sum())
    told = f"{count(jobs, 'job')}, {count(interruptions, 'interruption')}"
    if lasts[Outcome.DONE] == jobs:
        return f"{told}, {'all ' if jobs > 1 else ''}finished"
    words = {Outcome.DONE: "finished", RUNNING: "running", Outcome.INTERRUPTED: "waiting"}
    states = [*words, Outcome.FAILED, Outcome.CANCELLED]
    return ", ".join([told, *(f"{lasts[state]:,} {words.get(state, state)}" for state in states if lasts[state])])


def ends_in_words(rows: pd.DataFrame) -> dict[End, str]:
    """Return each kind of end that occurs with its number and causes: ``2 stop signal or hand-over``."""
    present: dict[End, str] = {}
    for end in ENDS:
        found = rows[[this is end for this in rows["end"]]]
        if len(found):
            present[end] = _words(end, len(found), found["cause"].dropna())
    return present


def _words(end: End, number: int, causes: Iterable[Any]) -> str:
    if end is FAILURE:
        return count(number, end.words)
    return f"{number:,} {' or '.join(sorted({cause_words(cause) for cause in causes})) if end is ASKED else end.words}"
