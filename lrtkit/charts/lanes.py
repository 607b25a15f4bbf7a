"""The progress of every job: a lane a job, filled as its steps get done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lrtkit.charts.bars import TINTS, draw_bars, placed
from lrtkit.charts.history import headline, last_attempts, tidy
from lrtkit.charts.key import add_key
from lrtkit.charts.style import (
    INK,
    SMALL_PT,
    beside,
    dressed,
    name_axes,
    nothing_yet,
    shared,
    shortened,
    size_pt,
    tell,
    told_apart,
)
from lrtkit.charts.timeline import Timeline, duration
from lrtkit.wire.record import Outcome

FILL = 0.84  # of a lane's height is 100 %: the rest keeps full lanes apart
FLOOR = 0.94  # where in a lane 0 % lies, from its top
MOST_NAMES, SMALLEST_PT = 24, 7  # more or smaller names are slow to draw and hard to read
STATES: dict[str, str] = {
    Outcome.INTERRUPTED: ", waiting",
    Outcome.FAILED: ", failed",
    Outcome.CANCELLED: ", cancelled",
}


def progress(attempts: pd.DataFrame, *, now: pd.Timestamp | None = None, ax: Axes | None = None) -> Axes:
    """Draw every job's progress over elapsed time, a lane a job, with its interruptions and waits.

    A lane fills from 0 to 100 % of the job's steps; its tint changes with the machine, a marker shows
    how an attempt ended and a dotted line the wait for the next. Jobs stand in the order of their start;
    of more than a few hundred, ``overview`` is the clearer picture.

    ``attempts``: a row an attempt; columns ``job_id, generation, machine, started_at, ended_at`` (UTC),
    ``first_step, last_step, steps, outcome, cause``. ``now`` is the time at which the frame was read:
    attempts that still run are drawn up to it, by default up to the last time in the frame.
    """
    if attempts.empty or attempts["started_at"].isna().all():
        return nothing_yet(ax, "no attempts yet")
    rows = tidy(attempts, now)
    timeline = Timeline.of(rows["began"], rows["ended"])
    rows = _laid_out(rows, timeline)
    jobs = [str(job) for job in rows["job_id"].unique()]
    ax = dressed(ax, height_in=float(np.clip(1.5 + 0.13 * len(jobs), 2.4, 7.5)), grid="x")
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(jobs) + 0.1, 0)
    timeline.dress(ax)
    experiment = shared(jobs)
    name_axes(ax, timeline.label, f"jobs of {shortened(experiment)}" if experiment else "jobs")
    _name_lanes(ax, told_apart([job.removeprefix(f"{experiment}/") for job in jobs]))
    ends, fills = draw_bars(ax, rows, mark_pt=float(np.clip(0.75 * _lane_pt(ax), 3.5, 7)))
    _tips(ax, rows)
    fact = headline(rows)
    tell(ax, fact, f"Progress of every job over {duration(timeline.span_s)}: {fact}.")
    add_key(ax, ends, fills)
    return ax


def _laid_out(rows: pd.DataFrame, timeline: Timeline) -> pd.DataFrame:
    moved = rows["machine"] != rows.groupby("job_id")["machine"].shift()
    turn = moved.groupby(rows["job_id"]).cumsum() - 1
    lane = pd.factorize(rows["job_id"])[0].astype(float)
    return placed(rows, timeline, floor=lane + FLOOR, height=FILL).assign(tint=turn % len(TINTS))


def _name_lanes(ax: Axes, names: list[str]) -> None:
    """Name as many lanes as there is room for, with the axis's label lying above the names."""
    every = int(np.ceil(max(len(names) / MOST_NAMES, 1.2 * SMALLEST_PT / _lane_pt(ax))))
    size = float(np.clip(0.8 * every * _lane_pt(ax), SMALLEST_PT, SMALL_PT))
    # Texts and not tick labels, which take three times as long to make, place and draw.
    left = beside(ax, right_pt=-5, of=ax.get_yaxis_transform())
    look: dict[str, Any] = {"transform": left, "ha": "right", "va": "center", "fontsize": size, "color": INK}
    for lane in range(0, len(names), every):
        ax.text(0, lane + 0.5, names[lane], **look)
    ax.set_yticks([])
    ax.yaxis.label.set(rotation=0, ha="right", va="bottom")
    ax.yaxis.set_label_coords(0, 1, transform=beside(ax, right_pt=-5, up_pt=4, of=ax.transAxes))


def _lane_pt(ax: Axes) -> float:
    return size_pt(ax)[1] / float(np.ptp(ax.get_ylim()))


def _tips(ax: Axes, rows: pd.DataFrame) -> None:
    """Write the percentage beside each unfinished job, where lanes are high enough for text."""
    lasts = last_attempts(rows)
    unfinished = lasts[(lasts["outcome"] != Outcome.DONE) & lasts["high"].notna()]
    for row in unfinished.to_dict("records") if _lane_pt(ax) >= SMALL_PT else ():
        # Rounded down: what is not done is not at 100 %.
        words = f"{int(100 * row['high'] + 1e-9)} %{STATES.get(row['outcome'], '')}"
        middle = row["floor"] - FILL / 2
        ax.text(row["x1"], middle, words, transform=beside(ax, right_pt=7), va="center", fontsize=SMALL_PT, color=INK)
