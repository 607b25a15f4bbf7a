"""One row a figure: what was measured, what it should be, and whether it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

WIDTHS = (52, 30, 26, 8)
HEADS = ("figure", "median (least-most, rounds)", "target", "met")


@dataclass(frozen=True)
class Row:
    """A figure: its rounds, and the target that their median has to meet; None where it is only told."""

    figure: str
    rounds: Sequence[float]
    unit: str = "s"
    target: str = "-"
    meets: Callable[[float], bool] | None = None
    digits: int = 2

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return median(self.rounds)

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word."""
        if self.meets is None:
            return "-"
        return "yes" if self.meets(self.median) else "NO"

    @property
    def measured(self) -> str:
        """The median, the extremes and the number of rounds."""
        one = f"{self._text(self.median)} {self.unit}".rstrip()
        if len(self.rounds) == 1:
            return one
        return f"{one} ({self._text(min(self.rounds))}-{self._text(max(self.rounds))}, {len(self.rounds)})"

    def __str__(self) -> str:
        return line(self.figure, self.measured, self.target, self.verdict)

    def _text(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


def below(limit: float, unit: str = "s") -> tuple[str, Callable[[float], bool]]:
    """Return the words and the test of a target that a figure has to stay under."""
    return f"< {limit:g} {unit}".rstrip(), lambda value: value < limit


def at_most(limit: float, unit: str = "s") -> tuple[str, Callable[[float], bool]]:
    """Return the words and the test of a target that a figure may reach and not exceed."""
    return f"<= {limit:g} {unit}".rstrip(), lambda value: value <= limit


def at_least(limit: float, unit: str = "") -> tuple[str, Callable[[float], bool]]:
    """Return the words and the test of a target that a figure has to reach."""
    return f">= {limit:g} {unit}".rstrip(), lambda value: value >= limit


def line(*cells: str) -> str:
    """Return one line of the table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
