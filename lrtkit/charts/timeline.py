"""Time on the x axis: elapsed since the first event, in the unit that reads best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from lrtkit.charts.style import Floats


@dataclass(frozen=True)
class Unit:
    """A unit of time, the longest span that it serves, and steps between ticks that suit it."""

    name: str
    symbol: str
    seconds: float
    longest_s: float
    steps: tuple[float, ...]


UNITS = (
    Unit("seconds", "s", 1, 180, (1, 2, 5, 10, 15, 20, 30)),
    Unit("minutes", "min", 60, 3 * 3600, (1, 2, 5, 10, 15, 20, 30)),
    Unit("hours", "h", 3600, 4 * 86400, (1, 2, 3, 6, 12, 24)),
    Unit("days", "d", 86400, float("inf"), (1, 2, 7, 14, 28)),
)


def unit_for(span_s: float) -> Unit:
    """Return the unit in which a span of time reads best."""
    return next(unit for unit in UNITS if span_s < unit.longest_s)


def duration(span_s: float) -> str:
    """Return ``84 s``, ``12 min``, ``2.5 h`` or ``12 d``."""
    unit = unit_for(1.5 * span_s)  # words have room for a decimal place, and need not wait for ticks of whole hours
    amount = span_s / unit.seconds
    return f"{amount:.1f} {unit.symbol}" if amount < 10 and unit.symbol != "s" else f"{amount:.0f} {unit.symbol}"


@dataclass(frozen=True)
class Timeline:
    """A stretch of time from its first event on."""

    start: pd.Timestamp
    span_s: float

    @classmethod
    def of(cls, *columns: pd.Series[Any] | pd.DatetimeIndex) -> Timeline:
        """Span all times in the columns, of which there must be one at least."""
        start, end = min(column.min() for column in columns), max(column.max() for column in columns)
        return cls(start, (end - start).total_seconds())

    @property
    def unit(self) -> Unit:
        """The unit of the axis."""
        return unit_for(self.span_s)

    @property
    def length(self) -> float:
        """The span in the axis's unit, and never zero, so that an axis can be drawn."""
        return max(self.span_s, 1.0) / self.unit.seconds

    @property
    def label(self) -> str:
        """What to write at the axis."""
        return f"{self.unit.name} since the start"

    def at(self, times: pd.Series[Any] | pd.DatetimeIndex) -> Floats:
        """Return where the times lie on the axis."""
        return np.asarray((times - self.start) / pd.Timedelta(seconds=self.unit.seconds), dtype=float)

    def dress(self, ax: Axes) -> None:
        """Give ``ax`` limits and ticks for this stretch of time."""
        step = next((step for step in self.unit.steps if self.length / step <= 9), self.length / 6)
        ax.xaxis.set_major_locator(MultipleLocator(step))
        ax.set_xlim(0, self.length * 1.02)
