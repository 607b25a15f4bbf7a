"""Where the time of one job went, attempt by attempt, on which machine: the goodput ribbon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lrtkit.charts.key import add_key
from lrtkit.charts.story import name_machines
from lrtkit.charts.style import (
    BLUE,
    INK,
    MUTED,
    SKY,
    VERMILLION,
    Floats,
    count,
    dressed,
    name_axes,
    nothing_yet,
    numbers,
    root,
    tell,
)
from lrtkit.charts.timeline import Timeline, duration

# In the order in which they come in an attempt: hatched or not, so that no colour need be told.
LOOKS: dict[str, dict[str, Any]] = {
    "waiting": {"facecolor": "white", "edgecolor": MUTED, "hatch": "...."},
    "starting": {"facecolor": SKY, "edgecolor": INK, "hatch": "\\\\\\\\"},
    "useful": {"facecolor": BLUE, "edgecolor": BLUE},
    "redone": {"facecolor": VERMILLION, "edgecolor": INK, "hatch": "////"},
}
HEIGHTS = {"waiting": 0.25}  # of a row: thin, as nothing happens
ORDER = ("useful", "redone", "waiting", "starting")
ROW_IN, AROUND_IN = 0.3, 1.5


def goodput(story: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw where a job's time went over elapsed time, a row a machine: waiting, starting, useful, redone.

    Redone is what came after the last checkpoint and was lost with the machine; waiting is the time
    before an attempt in which nobody held the job.

    ``story``: ``exp.why(job_id).frame``, a row an attempt; columns ``machine, started_at`` (UTC),
    ``waiting_s, starting_s, useful_s, redone_s`` (seconds, missing where not known).
    """
    if story.empty or story["started_at"].isna().all():
        return nothing_yet(ax, "no attempts yet")
    rows = _tidy(story)
    timeline = Timeline.of(rows["begins"], rows["ends"])
    given, ax = ax, dressed(ax, grid="x")
    machines = rows["machine"].unique().tolist()
    if given is None:
        root(ax).set_figheight(float(np.clip(AROUND_IN + ROW_IN * len(machines), 2, 9)))
    timeline.dress(ax)
    _draw(ax, rows, timeline)
    name_machines(ax, machines, [row + 0.5 for row in range(len(machines))])
    ax.set_ylim(len(machines) + 0.1, 0)
    name_axes(ax, timeline.label, "machine")
    fact, sums = _fact(rows), _sums(rows)
    tell(
        ax, fact, f"Where the time of a job went over {duration(timeline.span_s)}: {fact}; {', '.join(sums.values())}."
    )
    add_key(ax, [Patch(**LOOKS[name], label=words) for name, words in sums.items()])
    return ax


def _tidy(story: pd.DataFrame) -> pd.DataFrame:
    """Return the attempts in order of time, with seconds for what is missing, and when each begins and ends."""
    rows = story[story["started_at"].notna()].sort_values("started_at", kind="stable", ignore_index=True)
    seconds = {f"{name}_s": np.nan_to_num(numbers(rows[f"{name}_s"])) for name in LOOKS}
    starts = pd.to_datetime(rows["started_at"], utc=True)
    held_s = seconds["starting_s"] + seconds["useful_s"] + seconds["redone_s"]
    return rows.assign(
        **seconds,
        begins=starts - pd.to_timedelta(seconds["waiting_s"], unit="s"),
        ends=starts + pd.to_timedelta(held_s, unit="s"),
        machine=rows["machine"].fillna("unknown machine").astype(str),
    )


def _draw(ax: Axes, rows: pd.DataFrame, timeline: Timeline) -> None:
    """Draw the parts of each attempt one after the other, in the row of its machine."""
    left: Floats = timeline.at(rows["begins"])
    row = pd.factorize(rows["machine"])[0] + 0.5
    for name, look in LOOKS.items():
        width = rows[f"{name}_s"].to_numpy(dtype=float) / timeline.unit.seconds
        ax.barh(row, width, left=left, height=HEIGHTS.get(name, 0.6), linewidth=0.5, label=name, **look)
        left = left + width


def _sums(rows: pd.DataFrame) -> dict[str, str]:
    """Return each part with its time in words, as ``useful 1.2 h``."""
    return {name: f"{name} {duration(rows[f'{name}_s'].sum())}" for name in ORDER}


def _fact(rows: pd.DataFrame) -> str:
    useful_s, total_s = rows["useful_s"].sum(), sum(rows[f"{name}_s"].sum() for name in ORDER)
    held_s = total_s - rows["waiting_s"].sum()
    told = f"{count(len(rows), 'attempt')} on {count(rows['machine'].nunique(), 'machine')}"
    return f"goodput {100 * useful_s / held_s if held_s else 0:.0f} %: {told}"
