"""What interrupted the jobs, and on which machines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from lrtkit.charts.history import BY_CAUSE, OTHER, cause_words, tidy
from lrtkit.charts.key import add_key
from lrtkit.charts.story import short
from lrtkit.charts.style import (
    INK,
    SMALL_PT,
    beside,
    count,
    dressed,
    name_axes,
    nothing_yet,
    root,
    tell,
)
from lrtkit.charts.timeline import duration
from lrtkit.wire.record import Outcome

MOST_MACHINES = 12
ROW_IN, AROUND_IN = 0.27, 1.5
# By cause, beside the colour of its kind, so that the three that a worker is told of differ too.
HATCHES = {"node gone": "xx", "lease lost": "//", "sigterm": "", "hand-over": "..", "workload": "--"}


def interruptions(attempts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a bar for each machine, of its interruptions by cause; the machines that had most come first.

    Beside a bar stands for how long jobs ran on the machine, so that one that ran longer is not blamed
    for it; of machines beyond the first dozen only the sum is told. ``attempts`` as for ``progress``.
    """
    if attempts.empty or attempts["started_at"].isna().all():
        return nothing_yet(ax, "no attempts yet")
    rows = tidy(attempts)
    table = _table(rows)
    shown = table.head(MOST_MACHINES)
    given, ax = ax, dressed(ax, grid="x")
    if given is None:
        root(ax).set_figheight(AROUND_IN + ROW_IN * (len(shown) + 1))
    _bars(ax, shown)
    _write(ax, table, (rows["ended"] - rows["began"]).dt.total_seconds().groupby(rows["machine"]).sum())
    name_axes(ax, "interruptions", "machine")
    fact = _fact(rows, int(table.to_numpy().sum()))
    tell(ax, fact, f"Interruptions by machine and cause: {fact}{_most(table)}.")
    add_key(ax, _key(table))
    return ax


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the interruptions, a row a machine and a column a cause, the most interrupted machine first."""
    hit = rows[rows["outcome"] == Outcome.INTERRUPTED]
    causes = hit["cause"].fillna(OTHER.words).astype(str)
    table = pd.crosstab(hit["machine"], causes).reindex(rows["machine"].unique(), fill_value=0)
    order = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order, sorted(table.columns, key=_place)]


def _place(cause: str) -> int:
    return [*BY_CAUSE, cause].index(cause)


def _look(cause: object) -> dict[str, Any]:
    end = BY_CAUSE.get(str(cause), OTHER)
    return {"facecolor": end.face, "edgecolor": INK, "hatch": HATCHES.get(str(cause), "oo"), "linewidth": 0.6}


def _bars(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the causes one after the other in each machine's bar."""
    left = np.zeros(len(table))
    for cause in table:
        ax.barh(np.arange(len(table)), table[cause], left=left, height=0.66, label=cause_words(cause), **_look(cause))
        left = left + table[cause].to_numpy()


def _key(table: pd.DataFrame) -> list[Patch]:
    return [Patch(**_look(cause), label=f"{number:,} {cause_words(cause)}") for cause, number in table.sum().items()]


def _write(ax: Axes, table: pd.DataFrame, ran_s: pd.Series[float]) -> None:
    """Name the machines, write number and running time beside each bar, and the sum of those that have none."""
    shown, others = list(table.index[:MOST_MACHINES]), list(table.index[MOST_MACHINES:])
    sums = table.sum(axis=1)
    for row, machine in enumerate(shown):
        _beside(ax, row, sums[machine], ran_s[machine], at=sums[machine])
    names = short(shown)
    if others:
        names.append(f"{len(others):,} others")
        _beside(ax, len(shown), sums[others].sum(), ran_s[others].sum())
    ax.set_yticks(np.arange(len(names)), names)
    ax.tick_params(axis="y", left=False)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, 1.2 * max(1, sums.max()))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _beside(ax: Axes, row: int, number: float, seconds: float, *, at: float = 0) -> None:
    words = f"{number:,.0f} in {duration(seconds)}"
    ax.text(at, row, words, transform=beside(ax, right_pt=5), va="center", fontsize=SMALL_PT, color=INK)


def _fact(rows: pd.DataFrame, number: int) -> str:
    """Return the fact: ``38 interruptions on 12 machines, one in 2.1 h of running``."""
    told = f"{count(number, 'interruption')} on {count(rows['machine'].nunique(), 'machine')}"
    ran_s = (rows["ended"] - rows["began"]).dt.total_seconds().sum()
    return f"{told}, one in {duration(ran_s / number)} of running" if number else told


def _most(table: pd.DataFrame) -> str:
    sums = table.sum().sort_values(ascending=False)
    told = ", ".join(f"{number} {cause_words(cause)}" for cause, number in sums.items())
    return f": {told}" if told else ""
