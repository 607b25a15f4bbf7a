"""An attempt as a bar: from its start to its last sign of life, filled as far as the job had come."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path

from lrtkit.charts.history import ends_in_words
from lrtkit.charts.style import BLUE, INK, SKY, Floats, beside
from lrtkit.charts.timeline import Timeline
from lrtkit.wire.record import Outcome

TINTS = (BLUE, SKY)  # also far apart in grey
PALE = ("#d3e4f0", "#e0f1fa")  # the same, for what is still to do
DOTS = (0, (1, 1.5))
WEDGE = ((-1.4, -0.7), (1.4, -0.7), (1.4, 0.7))
CHECK = Path([(-0.9, -0.1), (-0.3, -0.8), (0.9, 0.9)])  # not the letter, which some fonts lack
CHECK_LOOK: dict[str, Any] = {"linestyle": "none", "marker": CHECK, "fillstyle": "none", "color": "#00694d"}


def placed(rows: pd.DataFrame, timeline: Timeline, *, floor: Floats, height: float) -> pd.DataFrame:
    """Add ``x0, x1`` (elapsed), ``floor, top`` (0 and 100 %), ``y0, y1`` (progress at both ends) and ``tint``.

    The y axis points down. Progress that is not known counts as none.
    """
    return rows.assign(
        x0=timeline.at(rows["began"]),
        x1=timeline.at(rows["ended"]),
        floor=floor,
        top=floor - height,
        y0=floor - height * rows["low"].fillna(0),
        y1=floor - height * rows["high"].fillna(0),
        tint=0,
    )


def draw_bars(ax: Axes, rows: pd.DataFrame, *, mark_pt: float) -> tuple[list[Line2D], list[Line2D]]:
    """Draw placed attempts; return what a key has to explain: how attempts ended, and the bars."""
    bars = [*_fills(ax, rows), *_waits(ax, rows)]
    return [*_marks(ax, rows, mark_pt), *_checks(ax, rows, mark_pt)], bars


def _fills(ax: Axes, rows: pd.DataFrame) -> list[Line2D]:
    """Draw each attempt as a pale bar of full height, and its progress as a wedge in it."""
    full, pale = ([tints[tint] for tint in rows["tint"]] for tints in (TINTS, PALE))
    ax.add_collection(PolyCollection(_quads(rows, "top", "top"), facecolors=pale, label="attempts"))
    wedges = _quads(rows, "y0", "y1")
    ax.add_collection(PolyCollection(wedges, facecolors=full, edgecolors=full, linewidths=0.5, label="progress"))
    words = ("0 to 100 % of the steps", "on another machine")
    look: dict[str, Any] = {"linestyle": "none", "marker": WEDGE, "markersize": 11}
    return [Line2D([], [], color=TINTS[tint], label=words[tint], **look) for tint in sorted(set(rows["tint"]))]


def _quads(rows: pd.DataFrame, left: str, right: str) -> list[Floats]:
    corners = ["x0", "floor", "x0", left, "x1", right, "x1", "floor"]
    return list(rows[corners].to_numpy(dtype=float).reshape(-1, 4, 2))


def _waits(ax: Axes, rows: pd.DataFrame) -> list[Line2D]:
    """Draw a dotted line from the end of each attempt to the start of the job's next."""
    after = rows.groupby("job_id")[["x0", "y0"]].shift(-1)
    waits = rows.assign(x2=after["x0"], y2=after["y0"])[after["x0"].notna()]
    lines = waits[["x1", "y1", "x2", "y1", "x2", "y2"]].to_numpy(dtype=float).reshape(-1, 3, 2)
    look: dict[str, Any] = {"color": INK, "linewidth": 1, "linestyle": DOTS, "label": "waiting"}
    ax.add_collection(LineCollection(list(lines), **look))
    return [Line2D([], [], **look)] if len(lines) else []


def _marks(ax: Axes, rows: pd.DataFrame, size_pt: float) -> list[Line2D]:
    marks = []
    for end, words in ends_in_words(rows).items():
        here = rows[[this is end for this in rows["end"]]]
        marks += ax.plot(here["x1"], here["y1"], **end.look(size_pt), label=words, clip_on=False, zorder=4)
    return marks


def _checks(ax: Axes, rows: pd.DataFrame, size_pt: float) -> list[Line2D]:
    done = rows[rows["outcome"] == Outcome.DONE]
    if done.empty:
        return []
    look = CHECK_LOOK | {"markersize": size_pt, "markeredgewidth": size_pt / 4, "clip_on": False}
    middle = (done["floor"] + done["top"]) / 2
    return ax.plot(done["x1"], middle, label=f"{len(done):,} done", transform=beside(ax, right_pt=size_pt), **look)
