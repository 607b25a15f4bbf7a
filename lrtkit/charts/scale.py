"""The axis of a parameter: even, by factors, or a place for each of some words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pandas.api.types import is_bool_dtype

from lrtkit.charts.style import SMALL_PT, Floats, numbers, told_apart

LEAST_FACTOR = 30
"""From the smallest to the largest value; below it, even steps can be told apart."""
LONGEST_WORD, MOST_LETTERS = 18, 60
"""Letters of one word, and of all that have room beside each other; more of them are written slanting."""
SLANT_DEG = 30
BAND = 0.6  # of the way from one word to the next that the groups share


@dataclass(frozen=True)
class Scale:
    """Where the values of a parameter lie; ``words`` are the places of one that is no number."""

    words: tuple[Any, ...] = ()
    by_factors: bool = False

    @classmethod
    def of(cls, *columns: pd.Series[Any]) -> Scale:
        """Return the scale that suits all of the columns."""
        values = [column.dropna() for column in columns]
        if not all(map(_is_number, values)):
            return cls(words=_in_order(values))
        return cls(by_factors=_rises_by_factors(np.concatenate([np.empty(0), *map(numbers, values)])))

    def at(self, column: pd.Series[Any]) -> Floats:
        """Return where the values lie, NaN for those that are missing or have no place."""
        if not self.words:
            places = numbers(column)
            return np.where(places > 0, places, np.nan) if self.by_factors else places
        return numbers(column.astype(object).map({word: place for place, word in enumerate(self.words)}))

    def shifts(self, groups: int) -> Floats:
        """Return how far the marks of each group stand beside their place, so that none hides another."""
        if not self.words:
            return np.zeros(groups)
        return (np.arange(groups) - (groups - 1) / 2) * BAND / groups

    def dress(self, ax: Axes) -> None:
        """Give the x axis its form, before anything is drawn."""
        if self.by_factors:
            ax.set_xscale("log")
        if self.words:
            look: dict[str, Any] = {"rotation": SLANT_DEG, "ha": "right", "rotation_mode": "anchor"}
            ax.set_xticks(range(len(self.words)), self._names, **(look if self._slants else {}), fontsize=SMALL_PT)
            ax.set_xlim(-0.5, len(self.words) - 0.5)

    @property
    def depth_pt(self) -> float:
        """How much deeper than a line of words the names below the axis reach."""
        return 0.5 * SMALL_PT * 0.6 * max(map(len, self._names)) if self._slants else 0.0

    @property
    def _names(self) -> list[str]:
        return told_apart([str(word) for word in self.words], LONGEST_WORD)

    @property
    def _slants(self) -> bool:
        return sum(map(len, self._names)) > MOST_LETTERS


def _is_number(values: pd.Series[Any]) -> bool:
    return not is_bool_dtype(values) and not bool(np.isnan(numbers(values)).any())


def _in_order(columns: list[pd.Series[Any]]) -> tuple[Any, ...]:
    """Return the values in their own order where they have one, else in that of the alphabet."""
    ordered = [list(column.cat.categories) for column in columns if isinstance(column.dtype, pd.CategoricalDtype)]
    found = {value for column in columns for value in column.tolist()}
    first = [value for categories in ordered for value in categories if value in found]
    return tuple(dict.fromkeys([*first, *sorted(found, key=str)]))


def _rises_by_factors(values: Floats) -> bool:
    """Tell whether the values lie more evenly by their factors than by their differences."""
    steps = np.unique(values)
    if len(steps) < 3 or steps[0] <= 0 or steps[-1] < LEAST_FACTOR * steps[0]:
        return False
    return _widest_gap(np.log(steps)) < _widest_gap(steps)


def _widest_gap(steps: Floats) -> float:
    return float(np.diff(steps).max() / (steps[-1] - steps[0]))
