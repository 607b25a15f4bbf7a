"""How fast the work gets done, and when it will be over: the past as a line, the time left as a band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lrtkit.charts import work
from lrtkit.charts.history import last_attempts, tidy
from lrtkit.charts.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    SMALL_PT,
    Floats,
    Tip,
    beside,
    dressed,
    label_tips,
    name_axes,
    nothing_yet,
    tell,
)
from lrtkit.charts.timeline import Timeline, duration

SLICES = 8
"""The recent past is cut into so many slices; how much their pace differs makes the band."""
MOST_AHEAD = 2.0
"""The future is drawn up to so many times the past; a band that goes on beyond leaves the picture."""
CENTURY_S = 3_155_760_000.0
"""What would take a century stands still."""

BAND: dict[str, Any] = {"facecolor": "#fbe6c0", "edgecolor": ORANGE, "hatch": "///", "linewidth": 0, "label": "band"}
RATES = ((60, "a minute"), (3600, "an hour"), (86400, "a day"))


@dataclass(frozen=True)
class Forecast:
    """What is left as a part of all work, the pace in such parts a second, and the seconds left, at best and worst."""

    share: float
    pace_per_s: float
    left_s: float
    best_s: float
    worst_s: float


def forecast(
    status: pd.DataFrame, attempts: pd.DataFrame, *, now: pd.Timestamp | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the work done over elapsed time, and where it leads: the time left at the pace of the last half.

    The band is two standard errors of the pace of eight slices of that half to either side, and never
    narrower than the number of attempts behind it allows: four tell a pace to a half, a hundred to a
    tenth. No job is foreseen to end sooner than its own pace allows, so that a straggler counts.

    ``status``: a row a job; columns ``state``, ``progress``, ``steps`` (a job counts by its steps).
    ``attempts`` and ``now`` as for ``progress``.
    """
    if status.empty or attempts.empty or attempts["started_at"].isna().all():
        return nothing_yet(ax, "no attempts yet")
    rows = tidy(attempts, now)
    past = Timeline.of(rows["began"], rows["ended"])
    times_s, shares = _curve(rows, status, past)
    recent = int((rows["ended"] > past.start + pd.Timedelta(seconds=past.span_s / 2)).sum())
    longest_s = _longest_s(rows, status)
    ahead = foresee(times_s, shares, share_left=_share_left(status), rests_on=recent, longest_s=longest_s)
    whole = Timeline(past.start, past.span_s + (_shown_s(ahead, past.span_s) if ahead else 0.0))
    ax = dressed(ax)
    tips = [_past(ax, times_s / whole.unit.seconds, shares)]
    tips += [_future(ax, past.span_s, whole, shares[-1], ahead)] if ahead else []
    whole.dress(ax)
    name_axes(ax, whole.label, "work done (%)")
    ax.set_ylim(0, 102)
    label_tips(ax, tips)
    fact = _fact(shares[-1], ahead, len(status), past)
    return tell(ax, fact, f"Work done over {duration(past.span_s)}, and where it leads: {fact}.")


def foresee(
    times_s: Floats, shares: Floats, *, share_left: float, rests_on: int, longest_s: float = 0.0
) -> Forecast | None:
    """Return when what is left will be done, at the pace of the last half; None where nothing is left or moves.

    ``times_s`` in seconds, rising, and ``shares``, the part of all work done by then; ``rests_on`` is the
    number of attempts in that half, ``longest_s`` what the slowest job under way needs by itself.
    """
    if share_left <= 0 or len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return None
    edges = np.linspace((times_s[0] + times_s[-1]) / 2, times_s[-1], SLICES + 1)
    paces = np.diff(np.interp(edges, times_s, shares)) / np.diff(edges)
    pace = float(paces.mean())
    error = max(2 * float(paces.std(ddof=1)) / np.sqrt(SLICES), pace / np.sqrt(max(rests_on, 1)))
    slowest = share_left / CENTURY_S
    if pace <= slowest:
        return None
    worst = share_left / (pace - error) if pace - error > slowest else np.inf
    left, best, worst = (max(each, longest_s) for each in (share_left / pace, share_left / (pace + error), worst))
    return Forecast(share_left, pace, left, best, worst)


def _curve(rows: pd.DataFrame, status: pd.DataFrame, timeline: Timeline) -> tuple[Floats, Floats]:
    """Return the seconds since the start, and the part of all work that was done by then.

    An attempt gets its steps done evenly; each begins and ends a slope.
    """
    parts = pd.Series(work.weights(status) / work.weights(status).sum(), index=status.index)
    made = ((rows["high"] - rows["low"]).clip(lower=0) * rows["job_id"].map(parts)).fillna(0).to_numpy()
    begins, ends = (((rows[name] - timeline.start).dt.total_seconds()).to_numpy() for name in ("began", "ended"))
    ends = np.maximum(ends, begins + 1e-3)
    slope = made / (ends - begins)
    times = np.concatenate([begins, ends])
    order = np.argsort(times, kind="stable")
    times, slopes = times[order], np.concatenate([slope, -slope])[order].cumsum()
    return times, np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(times))])


def _share_left(status: pd.DataFrame) -> float:
    """Return the part of all work that somebody will still do: not that of jobs which have ended undone."""
    is_open = ~status["state"].isin(["done", "failed", "cancelled", "expired"]).to_numpy()
    weights = work.weights(status)
    return float((weights * (1 - work.done(status)))[is_open].sum() / weights.sum())


def _longest_s(rows: pd.DataFrame, status: pd.DataFrame) -> float:
    """Return the seconds that the slowest running job still needs at its own pace."""
    lasts = last_attempts(rows)
    took_s = (lasts["ended"] - lasts["began"]).dt.total_seconds()
    made = lasts["high"] - lasts["low"]
    runs = (lasts["outcome"] == "running") & (made > 0) & lasts.index.isin(status.index)
    left_s = ((1 - lasts["high"]) / made * took_s)[runs]
    return float(left_s.max()) if len(left_s) else 0.0


def _shown_s(ahead: Forecast, span_s: float) -> float:
    """Return how much of the future is drawn: up to the worst, but not so far that the past shrinks to nothing."""
    return min(ahead.worst_s, max(ahead.left_s * 1.5, MOST_AHEAD * span_s))


def _past(ax: Axes, x: Floats, shares: Floats) -> Tip:
    ax.plot(x, 100 * shares, color=BLUE, linewidth=2.2, label="done", zorder=3)
    ax.plot(x[-1:], 100 * shares[-1:], "o", color=BLUE, markersize=4, zorder=4)
    return Tip(x[-1], 100 * shares[-1], f"done {work.percent(shares[-1])}", BLUE)


def _future(ax: Axes, span_s: float, whole: Timeline, share: float, ahead: Forecast) -> Tip:
    """Draw the way to the end: dashed at the present pace, hatched from the best to the worst."""
    now, goal = span_s / whole.unit.seconds, 100 * min(1.0, share + ahead.share)
    best, likely, worst = (now + each / whole.unit.seconds for each in (ahead.best_s, ahead.left_s, ahead.worst_s))
    worst = min(worst, 100 * whole.length)
    ax.fill([now, best, worst], [100 * share, goal, goal], **BAND)
    ax.plot([now, likely], [100 * share, goal], color=INK, linewidth=1.4, linestyle=(0, (5, 2)), label="forecast")
    ax.axvline(now, color=MUTED, linewidth=0.8, linestyle=":")
    aside = 92 if share < 0.5 else 2  # where the lines are not
    ax.text(now, aside, "now", transform=beside(ax, right_pt=3), fontsize=SMALL_PT, color=MUTED)
    end = "" if goal > 99.5 else f" to {goal:.0f} %"  # where jobs have ended undone
    return Tip(likely, goal, f"{duration(ahead.left_s)} left{end}", INK)


def _fact(share: float, ahead: Forecast | None, jobs: int, past: Timeline) -> str:
    """Return the fact: ``62 % done, 14 h left (11 h to 19 h) at 8.2 jobs an hour``."""
    told = f"{work.percent(share)} done"
    if ahead is None:
        made = f" at {_rate(share * jobs / past.span_s)}" if share and past.span_s else ""
        return f"{told} in {duration(past.span_s)}{made}"
    worst = duration(ahead.worst_s) if np.isfinite(ahead.worst_s) else "no end in sight"
    left = f"{duration(ahead.left_s)} left ({duration(ahead.best_s)} to {worst})"
    return f"{told}, {left} at {_rate(ahead.pace_per_s * jobs)}"


def _rate(jobs_per_s: float) -> str:
    """Return how many jobs' worth of work gets done, in the unit in which that reads best."""
    unit_s, unit = next((each for each in RATES if jobs_per_s * each[0] >= 1), RATES[-1])
    jobs = jobs_per_s * unit_s
    return f"{jobs:.1f} jobs {unit}" if jobs < 10 else f"{jobs:,.0f} jobs {unit}"
