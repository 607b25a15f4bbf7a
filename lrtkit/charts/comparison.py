"""Results over a parameter, beside published values."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pandas.api.types import is_float_dtype

from lrtkit.charts.style import (
    BLACK,
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    SMALL_PT,
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
from lrtkit.wire.errors import BadInput

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, BLACK, ORANGE, SKY)
MARKERS = "osD^vp<>h*"  # ten, so that a pair of marker and colour comes back after seventy


def against(  # noqa: PLR0913 - each names one part of the picture, all but the frame by keyword
    results: pd.DataFrame,
    *,
    x: str,
    y: str,
    by: str,
    error: str | None = None,
    reference: pd.DataFrame | None = None,
    source: str | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw results ``y`` over ``x`` as points, a colour and marker for each value of ``by``, on published values.

    ``results``: a row a job; columns ``x``, ``y``, ``by``, and ``error`` for the half-length of the error
    bars in units of ``y``. Jobs without a result are left out. ``reference`` has the columns ``x``, ``y``
    and ``by`` too and is drawn as lines behind; ``source`` is its citation. Labels default to the columns'
    names: give ``xlabel`` and ``ylabel`` with units.
    """
    named = {"x": x, "y": y, "by": by}
    points, lines = _usable(results, **named, error=error), _usable(reference, **named)
    if points.empty and lines.empty:
        return nothing_yet(ax, f"no {_words(y)} yet")
    ax = dressed(ax)
    groups = pd.concat([points["by"], lines["by"]]).drop_duplicates().sort_values()
    tips = [
        _draw(ax, points[points["by"] == group], lines[lines["by"] == group], look)
        for group, look in zip(groups, _looks(_words(by), groups), strict=True)
    ]
    name_axes(ax, xlabel or _words(x), ylabel or _words(y))
    ax.margins(x=0.03, y=0.06)
    label_tips(ax, tips)
    _explain(ax, points, lines, source)
    told = _agreement(points, lines) or f" for {count(len(groups), 'value')} of {_words(by)}"
    fact = f"{count(len(points), 'result')}{told}"
    return tell(ax, fact, f"{ax.get_ylabel()} against {ax.get_xlabel()}, by {_words(by)}: {fact}.")


def _usable(frame: pd.DataFrame | None, *, x: str, y: str, by: str, error: str | None = None) -> pd.DataFrame:
    """Return columns ``x, y, error`` (floats) and ``by`` of the rows that can be drawn, in order of x."""
    if frame is None or y not in frame:  # before the first result there is no such column
        return pd.DataFrame({"x": [], "y": [], "error": []}, dtype=float).assign(by=pd.Series(dtype=object))
    if missing := {x, by} - set(frame):
        raise BadInput(f"no column {', '.join(sorted(missing))}. Try: one of {', '.join(map(str, frame))}")
    errors = numbers(frame[error]) if error in frame else np.nan
    usable = pd.DataFrame({"x": numbers(frame[x]), "y": numbers(frame[y]), "error": errors, "by": frame[by].array})
    return usable.dropna(subset=["x", "y", "by"]).sort_values("x", kind="stable")


def _looks(name: str, groups: pd.Series[Any]) -> list[dict[str, Any]]:
    """Return marker, colour and label for each group."""
    values = [f"{group:g}" if isinstance(group, (int, float, np.number)) else str(group) for group in groups]
    looks = zip(itertools.cycle(MARKERS), itertools.cycle(COLOURS), values, strict=False)
    return [{"marker": marker, "color": colour, "label": f"{name} {value}"} for marker, colour, value in looks]


def _draw(ax: Axes, points: pd.DataFrame, lines: pd.DataFrame, look: dict[str, Any]) -> Tip:
    """Draw one group and return where its label belongs: at the right-most end."""
    alone = "." if len(lines) == 1 else ""
    ax.plot(lines["x"], lines["y"], marker=alone, color=look["color"], linewidth=1.1, alpha=0.7, zorder=2)
    bars: dict[str, Any] = {"linestyle": "none", "capsize": 3, "elinewidth": 1.2, "markersize": 5.5}
    ax.errorbar(points["x"], points["y"], yerr=points["error"], **bars, **look, zorder=3)
    end = pd.concat([points, lines]).sort_values("x", kind="stable").iloc[-1]
    return Tip(end["x"], end["y"], look["label"], look["color"])


def _explain(ax: Axes, points: pd.DataFrame, lines: pd.DataFrame, source: str | None) -> None:
    """Say in small type below the chart what points and lines are."""
    told = f"Points: results{' with error bars' if points['error'].notna().any() else ''}."
    told += f" Lines: {source or 'reference'}." if len(lines) else ""
    under: dict[str, Any] = {"xytext": (0, -38), "textcoords": "offset points", "va": "top", "annotation_clip": False}
    words = "\n".join(textwrap.wrap(told, 100))
    ax.annotate(words, (0, 0), xycoords="axes fraction", fontsize=SMALL_PT, color=MUTED, **under)


def _agreement(points: pd.DataFrame, lines: pd.DataFrame) -> str:
    """Return how many results lie near a published value for the very same parameters, if there are any."""
    if points.empty or lines.empty:
        return ""
    published = _rounded(lines).drop_duplicates(["x", "by"])
    both = _rounded(points.dropna(subset=["error"])).merge(published, on=["x", "by"], suffixes=("", "_published"))
    near = ((both["y"] - both["y_published"]).abs() <= 2 * both["error"]).sum()
    return f", {near} of {len(both)} within two error bars of the published value" if len(both) else ""


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round the parameters: the same density may come from a table here and from arithmetic there."""
    return frame.assign(**{name: frame[name].round(9) for name in ("x", "by") if is_float_dtype(frame[name])})


def _words(column: str) -> str:
    return column.replace("_", " ")
