"""Results over a parameter, beside published values."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pandas.api.types import is_float_dtype

from lrtkit.charts.scale import Scale
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
    by: str | None = None,
    error: str | None = None,
    reference: pd.DataFrame | None = None,
    source: str | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw results ``y`` over a parameter ``x`` as points, a colour and marker for each value of ``by``.

    ``results``: a row a job; columns ``x``, ``y``, ``by``, and ``error`` for the half-length of the error
    bars in units of ``y``. Jobs without a result are left out. The axis of a parameter that rises by
    factors, as learning rates do, is logarithmic; one of words has a place for each, in their order if
    they are an ordered Categorical. ``reference`` has the columns ``x``, ``y`` and ``by`` too and is drawn
    as lines behind; ``source`` is its citation. Labels default to the columns' names: give ``xlabel`` and
    ``ylabel`` with units.
    """
    scale = Scale.of(*(frame[x] for frame in (results, reference) if frame is not None and x in frame))
    points, lines = _usable(results, scale, x, y, by, error), _usable(reference, scale, x, y, by)
    if points.empty and lines.empty:
        return nothing_yet(ax, f"no {_words(y)} yet")
    ax = dressed(ax)
    scale.dress(ax)
    groups = pd.concat([points["by"], lines["by"]]).drop_duplicates().sort_values()
    looks = _looks(by, groups, scale, len(points))
    tips = [
        _draw(ax, points[points["by"] == group], lines[lines["by"] == group], look)
        for group, look in zip(groups, looks, strict=True)
    ]
    name_axes(ax, xlabel or _words(x), ylabel or _words(y))
    ax.margins(x=0.03, y=0.06)
    label_tips(ax, tips if by else [])
    _explain(ax, points, lines, source, depth_pt=38 + scale.depth_pt)
    fact = f"{count(len(points), 'result')}{_agreement(points, lines) or _spread(points, groups, y, by)}"
    split = f", by {_words(by)}" if by else ""
    return tell(ax, fact, f"{ax.get_ylabel()} against {ax.get_xlabel()}{split}: {fact}.")


def _usable(
    frame: pd.DataFrame | None, scale: Scale, x: str, y: str, by: str | None, error: str | None = None
) -> pd.DataFrame:
    """Return columns ``x, y, error`` (floats) and ``by`` of the rows that can be drawn, in order of x."""
    if frame is None or y not in frame:  # before the first result there is no such column
        return pd.DataFrame({"x": [], "y": [], "error": []}, dtype=float).assign(by=pd.Series(dtype=object))
    if missing := {x, *([by] if by else [])} - set(frame):
        raise BadInput(f"no column {', '.join(sorted(missing))}. Try: one of {', '.join(map(str, frame))}")
    errors = numbers(frame[error]) if error in frame else np.nan
    groups = frame[by].array if by else ""
    usable = pd.DataFrame({"x": scale.at(frame[x]), "y": numbers(frame[y]), "error": errors, "by": groups})
    return usable.dropna(subset=["x", "y", "by"]).sort_values("x", kind="stable")


def _looks(by: str | None, groups: pd.Series[Any], scale: Scale, points: int) -> list[dict[str, Any]]:
    """Return marker, size, colour, label and a shift from the place on the x axis for each group."""
    values = [f"{group:g}" if isinstance(group, (int, float, np.number)) else str(group) for group in groups]
    looks = zip(itertools.cycle(MARKERS), itertools.cycle(COLOURS), values, scale.shifts(len(groups)), strict=False)
    shared: dict[str, Any] = {"markersize": float(np.clip(90 / np.sqrt(max(1, points)), 1.5, 5.5))}
    shared |= {"linestyle": "none"}
    return [
        {"marker": marker, "color": colour, "label": f"{_words(by or '')} {value}".strip(), "shift": shift} | shared
        for marker, colour, value, shift in looks
    ]


def _draw(ax: Axes, points: pd.DataFrame, lines: pd.DataFrame, look: dict[str, Any]) -> Tip:
    """Draw one group and return where its label belongs: at the right-most end."""
    alone = "." if len(lines) == 1 else ""
    shift, colour = look.pop("shift"), look["color"]
    ax.plot(lines["x"] + shift, lines["y"], marker=alone, color=colour, linewidth=1.1, alpha=0.7, zorder=2)
    bars: dict[str, Any] = {"capsize": look["markersize"] / 2, "elinewidth": look["markersize"] / 4.5}
    ax.errorbar(points["x"] + shift, points["y"], yerr=points["error"], **bars, **look, zorder=3)
    end = pd.concat([points, lines]).sort_values("x", kind="stable").iloc[-1]
    return Tip(end["x"] + shift, end["y"], look["label"], colour)


def _explain(ax: Axes, points: pd.DataFrame, lines: pd.DataFrame, source: str | None, *, depth_pt: float) -> None:
    """Say in small type below the chart what points and lines are."""
    told = f"Points: results{' with error bars' if points['error'].notna().any() else ''}."
    told += f" Lines: {source or 'reference'}." if len(lines) else ""
    under: dict[str, Any] = {
        "xytext": (0, -depth_pt),
        "textcoords": "offset points",
        "va": "top",
        "annotation_clip": False,
    }
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


def _spread(points: pd.DataFrame, groups: pd.Series[Any], y: str, by: str | None) -> str:
    """Return for how many values there are results, or without those from where to where they reach."""
    if by:
        return f" for {count(len(groups), 'value')} of {_words(by)}"
    ends = dict.fromkeys(f"{end:.3g}" for end in (points["y"].min(), points["y"].max()))
    return f", {_words(y)} {' to '.join(ends)}"


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round the parameters: the same density may come from a table here and from arithmetic there."""
    return frame.assign(**{name: frame[name].round(9) for name in ("x", "by") if is_float_dtype(frame[name])})


def _words(column: str) -> str:
    return column.replace("_", " ")
