"""The chart of policies side by side."""

from __future__ import annotations

import pandas as pd
import pytest

from lrtkit import charts
from lrtkit.backtest import Day, compare
from lrtkit.wire.errors import BadInput


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return compare([Day.trickle(), Day.drain()], plays=1)


def test_it_says_what_it_shows(scores):
    """Headline and sentence compare the last policy with the first in cost and kills."""
    ax = charts.backtest(scores)
    assert "default against guide" in ax.get_title(loc="left")
    assert "less cost" in ax.get_title(loc="left")
    assert "on trickle, drain, as shares of guide" in charts.alt(ax)
    assert charts.png(ax).startswith(b"\x89PNG")


def test_every_measure_of_every_day_has_a_mark(scores):
    """The first policy's marks are all at a hundred, and kills that were avoided at nothing."""
    ax = charts.backtest(scores)
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["guide", "guide, our workers", "default"]
    assert set(lines["guide"].get_xdata()) == {100}
    assert len(lines["default"].get_xdata()) == 12
    assert min(lines["default"].get_xdata()) == 0


def test_figures_stand_beside_the_marks(scores):
    """The first and the last policy's figures are written out, with their units."""
    words = [text.get_text() for text in charts.backtest(scores).texts]
    guide, default = (scores["busy_kills"]["drain", policy] for policy in ("guide", "default"))
    assert f"{guide:.0f} → {default:.0f}" in words
    assert any(word.startswith(r"\$") for word in words)


def test_another_frame_is_told(scores):
    """A frame without the measures is refused by the name of the one that has them; an empty one is no error."""
    with pytest.raises(BadInput, match=r"no column usd. Try: the frame of lrtkit.backtest.compare"):
        charts.backtest(scores.drop(columns="usd"))
    assert "no day has been played yet" in charts.alt(charts.backtest(scores.iloc[:0]))


def test_any_number_of_policies_is_drawn(scores):
    """Marks are used again rather than a policy left out."""
    names = [{name: f"{name} {turn}" for name in scores.index.unique("policy")} for turn in range(3)]
    many = pd.concat([scores.rename(index=each, level="policy") for each in names])
    assert len(charts.backtest(many).lines) == 9
