"""The queue over time."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from lrtkit.charts.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    VERMILLION,
    Tip,
    count,
    dressed,
    label_tips,
    name_axes,
    nothing_yet,
    numbers,
    tell,
)
from lrtkit.charts.timeline import Timeline, duration

# Column: name, colour, line style, width. The steadiest line has the plainest style.
LOOKS: dict[str, tuple[str, str, Any, float]] = {
    "waiting": ("waiting", BLUE, "-", 2.2),
    "in_flight": ("in flight", ORANGE, (0, (5, 1.5)), 2.0),
    "delayed": ("delayed", GREEN, (0, (3, 1, 1, 1)), 1.8),
    "dead": ("dead letters", VERMILLION, (0, (1, 1)), 2.4),
    "replicas": ("replicas", BLACK, (0, (8, 3)), 1.1),
}
ONLY_IF_EVER = {"delayed", "dead"}


def queue_depth(depth: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many jobs wait, are in flight and lie dead, and the replicas, over elapsed time.

    ``depth``: index UTC timestamps; columns ``waiting``, ``in_flight``, ``delayed``, ``dead`` (jobs)
    and optionally ``replicas``. Delayed jobs and dead letters are drawn if there ever were any; the
    title says when there were no dead letters, where somebody looked for them.
    """
    depth = depth[depth.index.notna()].dropna(how="all").sort_index()
    if depth.empty:
        return nothing_yet(ax, "no readings of the queue yet")
    times = pd.DatetimeIndex(depth.index)
    timeline = Timeline.of(times)
    drawn = [name for name in LOOKS if name in depth and _shown(name, depth[name])]
    ax = dressed(ax)
    tips = [_line(ax, name, depth[name].set_axis(timeline.at(times))) for name in drawn]
    timeline.dress(ax)
    name_axes(ax, timeline.label, "jobs and replicas" if "replicas" in drawn else "jobs")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylim(0, max(1.0, ax.dataLim.y1) * 1.05)
    label_tips(ax, tips)
    return tell(ax, _headline(depth), _sentence(depth, timeline))


def _shown(name: str, column: pd.Series[Any]) -> bool:
    return bool(column.notna().any() and (name not in ONLY_IF_EVER or column.max() > 0))


def _line(ax: Axes, name: str, column: pd.Series[Any]) -> Tip:
    words, colour, style, width = LOOKS[name]
    column = column.dropna()
    x, y = column.index.to_numpy(dtype=float), numbers(column)
    # Not clipped: a line at zero would otherwise be half hidden by the axis, and it is good news.
    ax.step(x, y, where="post", label=words, color=colour, linestyle=style, linewidth=width, clip_on=False, zorder=3)
    ax.plot(x[-1:], y[-1:], "o", color=colour, markersize=4, clip_on=False, zorder=4)
    return Tip(x[-1], y[-1], f"{words} {y[-1]:,.0f}", colour)


def _now(depth: pd.DataFrame, name: str) -> int | None:
    """Return the last number that is known; None where there is none."""
    column = depth[name].dropna() if name in depth else pd.Series(dtype=float)
    return None if column.empty else int(column.iloc[-1])


def _headline(depth: pd.DataFrame) -> str:
    waiting, delayed, in_flight, dead = (_now(depth, name) for name in ("waiting", "delayed", "in_flight", "dead"))
    queued = (waiting or 0) + (delayed or 0)
    told = f"{queued:,} waiting, {in_flight or 0:,} in flight" if queued or in_flight else "queue empty"
    return told if dead is None else f"{told}, {count(dead, 'dead letter')}"


def _sentence(depth: pd.DataFrame, timeline: Timeline) -> str:
    most = [
        f"{LOOKS[name][0]} {depth[name].max():,.0f}" for name in LOOKS if name in depth and _shown(name, depth[name])
    ]
    return f"Queue depth over {duration(timeline.span_s)}: {_headline(depth)}; at most {', '.join(most)}."
