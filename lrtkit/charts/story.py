"""The attempts of one job, machine by machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from lrtkit.charts.bars import draw_bars, placed
from lrtkit.charts.history import RUNNING, cause_words, tidy
from lrtkit.charts.style import (
    FAINT,
    INK,
    LABEL_PT,
    LONGEST_ID,
    Floats,
    count,
    dressed,
    name_axes,
    nothing_yet,
    root,
    shortened,
    size_pt,
    tell,
)
from lrtkit.charts.timeline import Timeline, duration
from lrtkit.wire.record import Outcome

FLOOR, BAR = 0.9, 0.4  # of a row, from its top: where bars stand, and how high they are; text stands above
ROW_IN = 0.42
GLYPH = 0.62  # the mean width of a letter in font sizes, rounded up
SHORT_ID = 8
STATES: dict[str, str] = {Outcome.INTERRUPTED: "waiting", RUNNING: "running"}


def attempts(attempts: pd.DataFrame, job_id: str, *, now: pd.Timestamp | None = None, ax: Axes | None = None) -> Axes:
    """Draw one job's attempts over elapsed time, machine by machine, with the waits between them.

    A bar reaches from the start of an attempt to its last sign of life and is filled from 0 to 100 % of
    the steps; above it stand the steps that it covered and how it ended.

    ``attempts`` and ``now`` as for ``progress``; the frame may hold other jobs too.
    """
    rows = attempts[attempts["job_id"] == job_id] if len(attempts) else attempts
    if rows.empty or rows["started_at"].isna().all():
        return nothing_yet(ax, f"no attempts of {job_id} yet")
    rows = tidy(rows, now)
    timeline = Timeline.of(rows["began"], rows["ended"])
    given, ax = ax, dressed(ax, grid="x")
    rows = _arranged(rows, timeline, width_pt=size_pt(ax)[0])
    if given is None:
        root(ax).set_figheight(float(np.clip(1.1 + ROW_IN * (rows["row"].max() + 1), 2, 9)))
    timeline.dress(ax)
    _machines(ax, rows)
    name_axes(ax, timeline.label, "machine")
    draw_bars(ax, rows, mark_pt=7)
    _write(ax, rows)
    title = _headline(rows, shortened(job_id, LONGEST_ID), timeline)
    return tell(ax, title, _sentence(rows, job_id, timeline))


def _arranged(rows: pd.DataFrame, timeline: Timeline, *, width_pt: float) -> pd.DataFrame:
    """Place bars and their labels in rows: a machine has as many as keep its labels apart, mostly one."""
    rows = rows.assign(label=[_label(row) for row in rows.to_dict("records")])
    wide = rows["label"].str.len().to_numpy() * GLYPH * LABEL_PT / width_pt * timeline.length
    bars = placed(rows, timeline, floor=np.zeros(len(rows)), height=BAR)
    left = np.clip(np.minimum(bars["x0"], timeline.length - wide), 0, None)
    right = np.maximum(bars["x1"], left + wide)
    row = _packed(rows["machine"], np.minimum(left, bars["x0"]), right)
    return placed(rows, timeline, floor=row + FLOOR, height=BAR).assign(row=row, text_x=left)


def _packed(machines: pd.Series[str], left: Floats, right: Floats) -> Floats:
    """Return a row for each interval: the machine's first row that is free there."""
    row = np.zeros(len(machines))
    below = 0
    for machine in machines.unique():
        taken: list[float] = []
        for index in np.flatnonzero(machines == machine):
            free = next((number for number, until in enumerate(taken) if until <= left[index]), len(taken))
            taken[free : free + 1] = [float(right[index])]
            row[index] = below + free
        below += len(taken)
    return row


def _label(row: Mapping[Any, Any]) -> str:
    told = row["outcome"] == Outcome.INTERRUPTED and pd.notna(row["cause"])
    how = cause_words(row["cause"]) if told else row["outcome"]
    first, last = (None if pd.isna(row[name]) else f"{row[name]:.15g}" for name in ("first_step", "last_step"))
    if last is None:
        return f"from step {first}, {how}" if first else str(how)
    span = f"step {last}" if first == last else f"steps {first or 0}–{last}"  # noqa: RUF001 - a range of numbers has an en dash
    return f"{span}, {how}"


def _machines(ax: Axes, rows: pd.DataFrame) -> None:
    edges = rows.groupby("machine", sort=False)["row"].agg(["min", "max"])
    ax.set_ylim(rows["row"].max() + 1.05, 0)
    name_machines(ax, list(edges.index), (edges["min"] + edges["max"]) / 2 + FLOOR - BAR / 2)
    for edge in edges["min"].iloc[1:]:
        ax.axhline(edge, color=FAINT, linewidth=0.8)


def name_machines(ax: Axes, machines: list[str], heights: Iterable[float]) -> None:
    """Write the machines at the y axis, as short as tells them apart."""
    ax.set_yticks(list(heights), short(machines))
    ax.tick_params(axis="y", left=False)


def short(machines: list[str]) -> list[str]:
    """Return the shortest beginnings, of at least eight characters, that tell the machines apart."""
    longest = max(map(len, machines))
    lengths = range(min(SHORT_ID, longest), longest + 1)
    length = next(length for length in lengths if len({name[:length] for name in machines}) == len(machines))
    return [name if len(name) <= length + 1 else f"{name[:length]}…" for name in machines]


def _write(ax: Axes, rows: pd.DataFrame) -> None:
    size = float(np.clip(0.36 * size_pt(ax)[1] / np.ptp(ax.get_ylim()), 6, LABEL_PT - 0.5))
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for row in rows.to_dict("records"):
        ax.text(
            row["text_x"], row["top"] - 0.06, row["label"], va="bottom", fontsize=size, color=INK, path_effects=halo
        )


def _headline(rows: pd.DataFrame, job_id: str, timeline: Timeline) -> str:
    machines, last = rows["machine"].nunique(), rows["outcome"].iloc[-1]
    told = f"{count(len(rows), 'attempt')} on {count(machines, 'machine')}"
    return f"{job_id}: {told}, {STATES.get(last, last)} after {duration(timeline.span_s)}"


def _sentence(rows: pd.DataFrame, job_id: str, timeline: Timeline) -> str:
    story = "; ".join(f"{label} on {machine}" for label, machine in zip(rows["label"], rows["machine"], strict=True))
    return f"{_headline(rows, job_id, timeline)}. In order: {story}."
