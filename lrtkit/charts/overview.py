"""All jobs at a glance: a cell a job, the darker the further, from ten to ten thousand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from lrtkit.charts import work
from lrtkit.charts.key import add_key
from lrtkit.charts.style import (
    BLACK,
    BLUE,
    HEIGHT_IN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SMALL_PT,
    VERMILLION,
    Floats,
    beside,
    dressed,
    nothing_yet,
    root,
    shared,
    shortened,
    size_pt,
    tell,
    told_apart,
)

PALE = "#dbe8f0"
COLUMNS = (10, 20, 25, 50, 100, 200, 250, 500, 1000)  # so that one can count
FLATTEST = 0.3  # rows to columns
ROW_IN, TALLEST_IN, AROUND_IN = 0.32, 3.2, 0.8
MOST_NAMES, SMALLEST_PT = 14, 7.0
LARGEST_MARK_PT = 9.0


@dataclass(frozen=True)
class Look:
    """The cells of one state: a colour of their own, or the shade of their progress; and a mark."""

    colour: str | None = None
    marker: str = ""
    ink: str = BLACK


# In the order of the key. All but the two ends of the scale have a mark: no state is told by colour alone.
LOOKS = {
    "done": Look(),
    "running": Look(marker="o", ink=ORANGE),
    "interrupted": Look(marker="d"),
    "queued": Look(),
    "unsent": Look(colour="white", marker=".", ink=MUTED),
    "failed": Look(colour=VERMILLION, marker="x"),
    "expired": Look(colour=PURPLE, marker="^"),
    "cancelled": Look(colour="#b8b8b8", marker="_"),
}


def overview(status: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a cell for each job, in the frame's order, row by row from left to right.

    A cell is the darker the further its job has come, and a mark tells its state; beside a row stands
    the name of its first job. ``status``: a row a job, indexed by job_id; columns ``state`` (as
    ``exp.status()`` has it), ``progress`` (0 to 1) and ``steps``.
    """
    if status.empty:
        return nothing_yet(ax, "no jobs yet")
    columns = min(len(status), next((each for each in COLUMNS if len(status) <= FLATTEST * each**2), COLUMNS[-1]))
    rows = -(-len(status) // columns)
    given, ax = ax, dressed(ax, height_in=HEIGHT_IN)
    if given is None:
        root(ax).set_figheight(AROUND_IN + min(TALLEST_IN, ROW_IN * rows))
    _paint(ax, status, rows, columns)
    marks = _marks(ax, status, columns)
    _name_rows(ax, [str(job) for job in status.index], columns)
    fact, states = _fact(status), ", ".join(str(mark.get_label()) for mark in marks)
    tell(ax, fact, f"A cell for each of {fact}: {states}.")
    add_key(ax, marks)
    return ax


def _paint(ax: Axes, status: pd.DataFrame, rows: int, columns: int) -> None:
    """Fill the cells, and draw white lines between them."""
    cells = np.ones((rows * columns, 3))
    cells[: len(status)] = _colours(status)
    picture = cells.reshape(rows, columns, 3)
    ax.imshow(picture, extent=(0, columns, rows, 0), aspect="auto", interpolation="nearest", label="jobs")
    gap = min(1.5, 0.15 * min(_cell_pt(ax)))
    ax.vlines(np.arange(1, columns), 0, rows, color="white", linewidth=gap)
    ax.hlines(np.arange(1, rows), 0, columns, color="white", linewidth=gap)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])


def _colours(status: pd.DataFrame) -> Floats:
    pale, full = np.array(to_rgb(PALE)), np.array(to_rgb(BLUE))
    shades: Floats = pale + work.done(status)[:, None] * (full - pale)
    for state, look in LOOKS.items():
        if look.colour:
            shades[(status["state"] == state).to_numpy()] = to_rgb(look.colour)
    return shades


def _marks(ax: Axes, status: pd.DataFrame, columns: int) -> list[Line2D]:
    """Mark the cells by state, and return what the key has to explain: each state with its number."""
    size = float(np.clip(0.6 * min(_cell_pt(ax)), 1.2, LARGEST_MARK_PT))
    handles = []
    for state, number in _counted(status).items():
        look = LOOKS.get(state, Look(marker="*"))
        if look.marker:
            cells = np.flatnonzero(status["state"] == state)
            at = cells % columns + 0.5, cells // columns + 0.5
            ax.plot(*at, look.marker, color=look.ink, markersize=size, markeredgewidth=size / 6, label=state)
        handles.append(_handle(look, state, number))
    return handles


def _handle(look: Look, state: str, number: int) -> Line2D:
    """Return the key's entry of a state: its mark, or else a cell of its end of the scale."""
    colour = look.ink if look.marker else {"done": BLUE, "queued": PALE}[state]
    size = LARGEST_MARK_PT * (0.7 if look.marker else 1)
    return Line2D(
        [], [], linestyle="none", marker=look.marker or "s", color=colour, markersize=size, label=f"{number:,} {state}"
    )


def _counted(status: pd.DataFrame) -> dict[str, int]:
    """Return how many jobs are in each state that occurs, in the order of the key."""
    counts = Counter(status["state"].tolist())
    return {state: counts[state] for state in [*LOOKS, *sorted(set(counts) - set(LOOKS))] if counts[state]}


def _name_rows(ax: Axes, jobs: list[str], columns: int) -> None:
    """Write the name of each row's first job beside it, of as many rows as there is room for."""
    experiment = shared(jobs)
    firsts = told_apart([job.removeprefix(f"{experiment}/") for job in jobs[::columns]])
    height = _cell_pt(ax)[1]
    every = int(np.ceil(max(len(firsts) / MOST_NAMES, 1.3 * SMALLEST_PT / height)))
    left = beside(ax, right_pt=-5, of=ax.get_yaxis_transform())
    for row in range(0, len(firsts), every):
        ax.text(0, row + 0.5, firsts[row], transform=left, ha="right", va="center", fontsize=SMALL_PT, color=INK)
    words = f"jobs{f' of {shortened(experiment)}' if experiment else ''}, the darker the further"
    ax.set_xlabel(f"{columns} a row: {words}" if len(jobs) > columns else words, fontsize=SMALL_PT, color=MUTED)


def _cell_pt(ax: Axes) -> tuple[float, float]:
    """Return width and height of a cell in points."""
    width, height = size_pt(ax)
    return width / float(np.ptp(ax.get_xlim())), height / float(np.ptp(ax.get_ylim()))


def _fact(status: pd.DataFrame) -> str:
    """Return the fact: ``300 jobs, 61 % of the work done, 2 failed``."""
    counts = _counted(status)
    share = work.share_done(status)
    told = [f"{len(status):,} {'job' if len(status) == 1 else 'jobs'}", f"{work.percent(share)} of the work done"]
    told += [f"{counts[state]:,} {state}" for state in ("failed", "expired", "unsent") if state in counts]
    return f"{told[0]}, all done" if counts.get("done") == len(status) else ", ".join(told)
