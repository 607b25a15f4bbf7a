"""Policies side by side: what each day came to, as a share of what it was under the first one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lrtkit.charts.key import add_key
from lrtkit.charts.style import (
    BLUE,
    GREEN,
    INK,
    LABEL_PT,
    MUTED,
    ORANGE,
    SMALL_PT,
    VERMILLION,
    dressed,
    name_axes,
    nothing_yet,
    tell,
)
from lrtkit.wire.errors import BadInput

MEASURES: Mapping[str, tuple[str, str]] = {
    "usd": ("cost", r"\${:.2f}"),
    "mean_done_h": ("until a job is done", "{:.2f} h"),
    "mean_wait_min": ("until a job begins", "{:.1f} min"),
    "idle_h": ("idle replicas", "{:.1f} h"),
    "busy_kills": ("busy kills", "{:.0f}"),
    "direction_changes": ("changes of direction", "{:.0f}"),
}
LOOKS = (("D", MUTED, 8.0), ("o", BLUE, 6.5), ("s", ORANGE, 4.5), ("^", GREEN, 4.5), ("v", VERMILLION, 4.5))
ROW_IN, WIDEST = 0.22, 1.6


def backtest(scores: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each policy's measures as a share of the first policy's, and the figures of the last one beside them.

    ``scores``: as ``lrtkit.backtest.compare`` gives them, index ``day`` and ``policy``. A share of more than
    160 % is drawn at the edge; where both are nothing they are the same.
    """
    if scores.empty:
        return nothing_yet(ax, "no day has been played yet")
    if missing := sorted(set(MEASURES) - set(scores)):
        raise BadInput(f"no column {', '.join(missing)}. Try: the frame of lrtkit.backtest.compare")
    days, policies = (list(scores.index.unique(level)) for level in ("day", "policy"))
    ax = dressed(ax, height_in=1.4 + ROW_IN * (len(days) + 1) * len(MEASURES), grid="x")
    rows = [_Row(place, measure, day) for place, (measure, day) in enumerate(_places(days)) if measure]
    looks = zip(policies, itertools.cycle(LOOKS), strict=False)
    handles = [_draw(ax, scores, rows, (policies[0], policy), look) for policy, look in looks]
    _label(ax, scores, rows, policies)
    name_axes(ax, f"share of {policies[0]}", "")
    add_key(tell(ax, *_told(scores, days, policies)), handles)
    return ax


class _Row:
    """One line of the chart: a measure on a day."""

    def __init__(self, place: int, measure: str, day: str) -> None:
        self.place, self.measure, self.day = place, measure, day


def _places(days: Sequence[str]) -> list[tuple[str, str]]:
    """Return measure and day of each line from the top, with an empty one after each measure."""
    return [place for measure in MEASURES for place in [*((measure, day) for day in days), ("", "")]][:-1]


def _share(base: float, value: float) -> float:
    if base:
        return min(WIDEST, value / base)
    return WIDEST if value else 1.0


def _draw(
    ax: Axes, scores: pd.DataFrame, rows: Sequence[_Row], pair: tuple[str, str], look: tuple[str, str, float]
) -> Line2D:
    """Draw the second policy's measures as shares of the first one's; a later policy's mark is smaller."""
    marker, colour, size_pt = look
    values = [[float(scores[row.measure][row.day, policy]) for policy in pair] for row in rows]
    style: dict[str, Any] = {"linestyle": "none", "marker": marker, "color": colour, "markersize": size_pt}
    shares = [100 * _share(base, value) for base, value in values]
    (line,) = ax.plot(shares, [row.place for row in rows], label=pair[1], clip_on=False, zorder=3, **style)
    return line


def _label(ax: Axes, scores: pd.DataFrame, rows: Sequence[_Row], policies: Sequence[str]) -> None:
    """Name the lines at the left, the measures above them, and write first and last policy's figures at the right."""
    ax.set_yticks([row.place for row in rows], [row.day for row in rows])
    ax.set_ylim(max(row.place for row in rows) + 0.7, -1.4)
    ax.set_xlim(-3, 100 * WIDEST)
    ax.set_xticks(np.arange(0, 161, 20), [f"{share} %" for share in range(0, 161, 20)])
    for row in rows:
        words = [MEASURES[row.measure][1].format(scores[row.measure][row.day, policy]) for policy in policies]
        told = f"{words[0]} → {words[-1]}" if len(policies) > 1 else words[0]
        at: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "va": "center", "color": INK}
        ax.annotate(told, (1.02, row.place), fontsize=SMALL_PT, **at)
    heads = {row.measure: row.place for row in reversed(rows)}
    for measure, place in heads.items():
        ax.annotate(MEASURES[measure][0], (0.005, place - 0.85), fontsize=LABEL_PT, fontweight="bold", **at)


def _told(scores: pd.DataFrame, days: Sequence[str], policies: Sequence[str]) -> tuple[str, str]:
    """Return the headline and the whole picture in words: the last policy against the first."""
    first, last = policies[0], policies[-1]
    sums = scores.groupby("policy")[["usd", "busy_kills"]].sum()
    saved = 1 - sums["usd"][last] / sums["usd"][first] if sums["usd"][first] else 0.0
    kills = f"{sums['busy_kills'][first]:.0f} → {sums['busy_kills'][last]:.0f} busy replicas killed"
    cost = f"{abs(saved):.1%} {'less' if saved >= 0 else 'more'} cost"
    title = f"{last} against {first}: {cost}, {kills}"
    return title, f"{', '.join(policies)} on {', '.join(days)}, as shares of {first}. {title}."
