"""The charts of all jobs and of their time: overview, forecast, goodput, interruptions."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.container import BarContainer
from PIL import Image

from lrtkit import charts
from lrtkit.charts.forecast import foresee
from lrtkit.charts.overview import LOOKS, PALE
from lrtkit.charts.style import BLUE, VERMILLION
from tests.charts.drawn import (
    attempt,
    campaign,
    faults,
    frame,
    interrupted,
    key,
    labelled,
    mixed,
    ran,
    standing,
    story,
    words,
)


def pixel(ax: Axes, x: float, y: float) -> np.ndarray:
    """The colour, from 0 to 1, that the finished picture has at a place of the data."""
    image = Image.open(io.BytesIO(charts.png(ax))).convert("RGB")
    across, up = ax.transData.transform((x, y))
    return np.array(image.getpixel((int(across), image.height - 1 - int(up)))) / 255


def shade(progress: float) -> np.ndarray:
    pale, full = np.array(to_rgb(PALE)), np.array(to_rgb(BLUE))
    return pale + progress * (full - pale)


def bars(ax: Axes, label: str) -> list[tuple[float, float]]:
    """Where the bars of one part begin and end, to a hundredth."""
    (found,) = [each for each in ax.containers if isinstance(each, BarContainer) and each.get_label() == label]
    return [(round(bar.get_x(), 2), round(bar.get_x() + bar.get_width(), 2)) for bar in found]


class TestOverview:
    """A cell a job."""

    def test_a_cell_is_the_darker_the_further(self) -> None:
        """The picture itself has, at each job's place, the shade of its progress."""
        ax = charts.overview(standing(("done", 1.0), ("queued", 0.0), ("running", 0.4)))
        for job, progress in enumerate([1.0, 0.0, 0.4]):
            # A quarter into the cell, beside the mark in its middle.
            assert pixel(ax, job + 0.25, 0.25) == pytest.approx(shade(progress), abs=0.02)

    def test_failed_jobs_stand_out_by_colour_and_by_mark(self) -> None:
        """A failed job is neither shade, and carries a cross."""
        ax = charts.overview(standing(("done", 1.0), ("failed", 0.9)))
        assert pixel(ax, 1.25, 0.25) == pytest.approx(to_rgb(VERMILLION), abs=0.02)
        cross = labelled(ax, "failed")
        assert (cross.get_xdata().tolist(), cross.get_ydata().tolist()) == ([1.5], [0.5])
        assert cross.get_marker() == "x"

    def test_every_state_but_the_ends_of_the_scale_has_a_mark_of_its_own(self) -> None:
        """Done is dark and queued pale; all others can be told without a colour."""
        marked = {state: look.marker for state, look in LOOKS.items() if look.marker}
        assert set(LOOKS) - set(marked) == {"done", "queued"}
        assert len(set(marked.values())) == len(marked)

    def test_jobs_stand_in_the_order_of_the_frame(self) -> None:
        """Row by row from left to right, in rows that one can count, each named by its first job."""
        states = [("done", 1.0)] * 30 + [("failed", 0.0)] + [("queued", 0.0)] * 20
        ax = charts.overview(standing(*states))
        assert labelled(ax, "failed").get_xdata().tolist() == [10.5]
        assert labelled(ax, "failed").get_ydata().tolist() == [1.5]
        assert words(ax) == ["T0-rho0", "T2-rho0", "T4-rho0"]
        assert ax.get_xlabel() == "20 a row: jobs of argon, the darker the further"

    def test_the_key_counts_every_state(self) -> None:
        """Numbers stand beside names, also in the sentence that stands for the picture."""
        ax = charts.overview(mixed(16))
        told = ["8 done", "1 running", "1 interrupted", "2 queued"]
        told += ["1 unsent", "1 failed", "1 expired", "1 cancelled"]
        assert sorted(key(ax)) == sorted(told)
        assert all(each in charts.alt(ax) for each in told)

    def test_a_state_of_tomorrow_is_drawn_too(self) -> None:
        """A word that the chart does not know gets a mark and its number."""
        assert "1 paused" in key(charts.overview(standing(("paused", 0.5), ("done", 1.0))))

    @pytest.mark.parametrize(
        ("jobs", "told"),
        [
            ([("done", 1.0)], "1 job, all done"),
            ([("done", 1.0), ("running", 0.999)], "2 jobs, 99 % of the work done"),
            ([("failed", 0.5), ("expired", 0.0)], "2 jobs, 25 % of the work done, 1 failed, 1 expired"),
        ],
    )
    def test_title_states_the_fact(self, jobs: list[Any], told: str) -> None:
        """Jobs, work done, and what asks for a hand."""
        assert charts.overview(standing(*jobs)).get_title(loc="left") == told

    def test_a_job_counts_by_its_steps(self) -> None:
        """The share of the work is of steps where all are known, else of jobs."""
        two = [("done", 1.0), ("queued", 0.0)]
        assert "10 % of" in charts.overview(standing(*two, steps=[100, 900])).get_title(loc="left")
        assert "50 % of" in charts.overview(standing(*two, steps=[100, None])).get_title(loc="left")

    @pytest.mark.parametrize("number", [1, 10, 300, 10_000])
    def test_any_number_of_jobs_is_readable(self, number: int) -> None:
        """From one job to ten thousand, texts stand apart, and the picture is made of few artists."""
        ax = charts.overview(mixed(number))
        assert faults(ax) == []
        assert len(ax.get_children()) < 60
        rows, columns = labelled_image(ax).shape[:2]
        assert rows * columns >= number > (rows - 1) * columns


def labelled_image(ax: Axes) -> np.ndarray:
    (image,) = ax.images
    return np.asarray(image.get_array())


class TestForecast:
    """Work done, and what is left."""

    def test_the_past_is_the_work_done(self) -> None:
        """The line rises with each attempt's steps, up to now."""
        status = standing(("done", 1.0), ("done", 1.0), ("queued", 0.0), ("queued", 0.0))
        line = labelled(charts.forecast(status, ran(status)), "done")
        at = np.interp([0, 50, 100, 200], 60 * line.get_xdata(), line.get_ydata())
        assert at == pytest.approx([0, 12.5, 25, 50], abs=0.01)

    def test_a_steady_pace_is_carried_on(self) -> None:
        """Half of the work in 200 seconds leaves 200 seconds; ten thousand attempts tell that to a hundredth."""
        ahead = foresee(np.array([0.0, 200.0]), np.array([0.0, 0.5]), share_left=0.5, rests_on=10_000)
        assert ahead is not None
        assert (ahead.left_s, ahead.best_s, ahead.worst_s) == pytest.approx((200, 200 / 1.01, 200 / 0.99))

    def test_few_attempts_tell_little(self) -> None:
        """However even the pace of four attempts looks, it is believed to a half, and that of one not at all."""
        even = np.array([0.0, 200.0]), np.array([0.0, 0.5])
        four, one = (foresee(*even, share_left=0.5, rests_on=number) for number in (4, 1))
        assert four is not None
        assert one is not None
        assert (four.best_s, four.worst_s) == pytest.approx((200 / 1.5, 400))
        assert np.isinf(one.worst_s)

    def test_the_band_widens_with_the_unrest_of_the_pace(self) -> None:
        """A pace that comes and goes has a wider band than a steady one, around the same middle."""
        times = np.linspace(0, 160, 17)
        restless = np.concatenate([[0], np.cumsum(np.tile([0.01, 0.01, 0.05, 0.05], 4))])
        steady = times / 160 * 0.48
        wide, narrow = (foresee(times, each, share_left=0.4, rests_on=10_000) for each in (restless, steady))
        assert wide is not None
        assert narrow is not None
        assert wide.left_s == pytest.approx(narrow.left_s)
        assert wide.best_s < narrow.best_s < narrow.worst_s < wide.worst_s

    def test_a_straggler_lengthens_the_forecast(self) -> None:
        """Nothing is foreseen to be over before the slowest job is."""
        ahead = foresee(np.array([0.0, 100.0]), np.array([0.0, 0.9]), share_left=0.1, rests_on=9, longest_s=500)
        assert ahead is not None
        assert ahead.left_s == ahead.best_s == 500

    @pytest.mark.parametrize(
        ("shares", "left"), [([0.0, 1.0], 0.0), ([0.0, 0.0], 1.0), ([0.5, 0.5], 0.5)], ids=["over", "idle", "stuck"]
    )
    def test_nothing_is_foreseen_where_nothing_is_left_or_moves(self, shares: list[float], left: float) -> None:
        """Work that is over or stands still has no time left to tell."""
        assert foresee(np.array([0.0, 60.0]), np.array(shares), share_left=left, rests_on=9) is None

    @settings(max_examples=30)
    @given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.floats(0.01, 1), st.floats(0, 1e5))
    def test_the_band_holds_its_middle(self, paces: list[float], left: float, longest_s: float) -> None:
        """Whatever the pace was, best is not later than likely, and likely not than worst."""
        times = np.arange(len(paces), dtype=float)
        ahead = foresee(times, np.cumsum(paces), share_left=left, rests_on=9, longest_s=longest_s)
        assert ahead is None or longest_s <= ahead.best_s <= ahead.left_s <= ahead.worst_s

    def test_title_tells_share_time_and_throughput(self) -> None:
        """Eight of ten jobs in 800 seconds leave 200 seconds at one job in 100 seconds."""
        status = standing(*[("done", 1.0)] * 8, *[("queued", 0.0)] * 2)
        title = charts.forecast(status, ran(status)).get_title(loc="left")
        assert title == "80 % done, 3.3 min left (2.2 min to 6.7 min) at 36 jobs an hour"

    def test_jobs_that_ended_undone_are_not_waited_for(self) -> None:
        """What failed or was cancelled is neither done nor left."""
        status = standing(*[("done", 1.0)] * 8, ("failed", 0.0), ("cancelled", 0.0))
        ax = charts.forecast(status, ran(status))
        assert ax.get_title(loc="left") == "80 % done in 13 min at 36 jobs an hour"
        assert not [artist for artist in ax.lines if artist.get_label() == "forecast"]

    def test_band_and_line_differ_without_colour(self) -> None:
        """The past is solid, the forecast dashed and the band hatched."""
        status = mixed(64)
        ax = charts.forecast(status, ran(status))
        assert labelled(ax, "forecast").get_linestyle() == "--"
        assert [patch.get_hatch() for patch in ax.patches] == ["///"]
        assert faults(ax) == []


class TestGoodput:
    """One job's time."""

    TWO = story(("0b5d61aa-11", 60, 60, None, 600, 100), ("77c1e0ff-22", 900, 140, 30, 500, 0))

    def test_parts_follow_each_other(self) -> None:
        """Waiting ends where the attempt begins; starting, useful and redone come after it, to scale."""
        ax = charts.goodput(self.TWO)
        assert bars(ax, "waiting") == [(0, 1), (12.67, 15)]
        assert bars(ax, "starting") == [(1, 1), (15, 15.5)]
        assert bars(ax, "useful") == [(1, 11), (15.5, 23.83)]
        assert bars(ax, "redone") == [(11, 12.67), (23.83, 23.83)]

    def test_sums_stand_in_the_key(self) -> None:
        """Each part is told with its sum, and the title with the share of held time that was useful."""
        ax = charts.goodput(self.TWO)
        assert key(ax) == ["useful 18 min", "redone 100 s", "waiting 3.3 min", "starting 30 s"]
        assert ax.get_title(loc="left") == "goodput 89 %: 2 attempts on 2 machines"
        assert "redone 100 s" in charts.alt(ax)

    def test_useful_time_has_its_colour_in_the_picture(self) -> None:
        """The middle of the useful part is solid blue in the image itself."""
        assert pixel(charts.goodput(self.TWO), 6, 0.5) == pytest.approx(to_rgb(BLUE), abs=0.02)

    def test_all_but_the_useful_is_hatched(self) -> None:
        """The parts can be told without colour."""
        ax = charts.goodput(self.TWO)
        hatches = {each.get_label(): each[0].get_hatch() for each in ax.containers}
        assert hatches.pop("useful") is None
        assert len(set(hatches.values())) == 3

    @pytest.mark.parametrize("attempts", [1, 50])
    def test_any_number_of_attempts_is_readable(self, attempts: int) -> None:
        """One attempt, or the 50 that a record keeps, each on a machine of its own."""
        rows = [(f"m{number:07}-x", 500 * number, 50, 10, 400, 40) for number in range(attempts)]
        assert faults(charts.goodput(story(*rows))) == []


class TestInterruptions:
    """By cause and machine."""

    HITS = frame(
        interrupted("a", 0, 600, (0, 9), machine="m1", cause="node gone"),
        interrupted("b", 0, 600, (0, 9), machine="m2", cause="lease lost"),
        interrupted("a", 700, 1300, (9, 20), machine="m2", cause="sigterm", generation=2),
        interrupted("c", 0, 60, (0, 9), machine="m2", cause="node gone"),
        attempt("d", 0, 3600, (0, 100), machine="m3"),
    )

    def test_bars_stack_the_causes_of_each_machine(self) -> None:
        """The most interrupted machine comes first, and its causes follow each other."""
        ax = charts.interruptions(self.HITS)
        assert [label.get_text() for label in ax.get_yticklabels()] == ["m2", "m1", "m3"]
        assert bars(ax, "node gone") == [(0, 1), (0, 1), (0, 0)]
        assert bars(ax, "lease lost") == [(1, 2), (1, 1), (0, 0)]
        assert bars(ax, "stop signal") == [(2, 3), (1, 1), (0, 0)]

    def test_numbers_stand_beside_the_time_they_took(self) -> None:
        """A machine that ran longer has the longer time beside its bar; a quiet one says so."""
        assert words(charts.interruptions(self.HITS)) == ["3 in 21 min", "1 in 10 min", "0 in 60 min"]

    def test_title_and_key_count_all(self) -> None:
        """The sum, the machines, the mean time between, and each cause."""
        ax = charts.interruptions(self.HITS)
        assert ax.get_title(loc="left") == "4 interruptions on 3 machines, one in 23 min of running"
        assert key(ax) == ["2 node gone", "1 lease lost", "1 stop signal"]
        assert "2 node gone, 1 lease lost, 1 stop signal" in charts.alt(ax)

    def test_none_at_all(self) -> None:
        """A calm campaign says so, and has no key."""
        ax = charts.interruptions(frame(attempt("a", 0, 60, (0, 100))))
        assert ax.get_title(loc="left") == "no interruptions on 1 machine"
        assert key(ax) == []

    def test_machines_beyond_the_dozen_are_told_in_a_sum(self) -> None:
        """Three hundred machines are thirteen rows, and no interruption is left out of the count."""
        hits = [interrupted(f"j{n}", n, n + 60, (0, 9), machine=f"m{n % 300:03}") for n in range(400)]
        ax = charts.interruptions(frame(*hits))
        assert len(ax.get_yticks()) == 13
        assert words(ax)[-1] == "376 in 6.3 h"
        assert key(ax) == ["400 node gone"]
        assert faults(ax) == []

    def test_causes_differ_without_colour(self) -> None:
        """Each known cause has a colour or a hatch that no other has, and hatches alone tell most."""
        causes = ["node gone", "lease lost", "sigterm", "hand-over", "workload", "solar flare"]
        ax = charts.interruptions(frame(*(interrupted(f"j{c}", 0, 9, (0, 1), cause=c) for c in causes)))
        assert len({each[0].get_hatch() for each in ax.containers}) == len(causes)
        assert faults(ax) == []

    def test_a_real_campaign(self) -> None:
        """Names, numbers and key of a campaign stand apart."""
        assert faults(charts.interruptions(campaign(60))) == []


def test_frames_are_left_as_they_were() -> None:
    """Drawing changes nothing in the caller's data."""
    status, attempts, told = mixed(20), campaign(6), TestGoodput.TWO
    before = status.copy(), attempts.copy(), told.copy()
    charts.overview(status)
    charts.forecast(status, attempts)
    charts.interruptions(attempts)
    charts.goodput(told)
    for now, then in zip((status, attempts, told), before, strict=True):
        pd.testing.assert_frame_equal(now, then)
