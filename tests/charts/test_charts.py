"""The charts of queue, attempts and results: what they draw, what they say, and that one can read it."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from lrtkit import charts
from lrtkit.charts.history import ENDS
from lrtkit.charts.style import legible, shortened, spread, told_apart
from lrtkit.charts.timeline import duration
from lrtkit.wire.errors import BadInput
from tests.charts.drawn import (
    START,
    after,
    attempt,
    campaign,
    faults,
    frame,
    interrupted,
    key,
    labelled,
    mixed,
    ran,
    story,
    words,
)


def readings(**columns: list[Any]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    index = pd.DatetimeIndex([after(10 * number) for number in range(length)], name="at")
    zeros = {name: [0] * length for name in ("waiting", "in_flight", "delayed", "dead")}
    return pd.DataFrame(zeros | columns, index=index)


def isotherms(temperatures: tuple[float, ...] = (1.1, 1.3, 2.0), points: int = 5) -> pd.DataFrame:
    pairs = list(itertools.product(temperatures, np.linspace(0.1, 0.8, points)))
    values = {"temperature": [t for t, _ in pairs], "density": [rho for _, rho in pairs]}
    return pd.DataFrame(values | {"pressure": [t * rho + rho**3 for t, rho in pairs], "pressure_error": 0.05})


NAMES = ("waiting", "in_flight", "delayed", "dead", "replicas")
PARTS: dict[str, Any] = {"x": "density", "y": "pressure", "by": "temperature"}


def wedges(ax: Axes) -> list[np.ndarray]:
    return [path.vertices[:4] for path in labelled(ax, "progress").get_paths()]


class TestEveryChart:
    """What holds whatever is drawn."""

    EMPTY = (
        lambda ax: charts.queue_depth(readings(waiting=[]), ax=ax),
        lambda ax: charts.queue_depth(pd.DataFrame(), ax=ax),
        lambda ax: charts.queue_depth(readings(waiting=[None], in_flight=[None], delayed=[None], dead=[None]), ax=ax),
        lambda ax: charts.progress(frame(), ax=ax),
        lambda ax: charts.progress(pd.DataFrame(), ax=ax),
        lambda ax: charts.progress(frame(attempt("a", 0, 1, (0, 1)) | {"started_at": pd.NaT}), ax=ax),
        lambda ax: charts.attempts(frame(), "argon/1", ax=ax),
        lambda ax: charts.attempts(pd.DataFrame(), "argon/1", ax=ax),
        lambda ax: charts.attempts(campaign(3), "neon/1", ax=ax),
        lambda ax: charts.overview(pd.DataFrame(), ax=ax),
        lambda ax: charts.forecast(mixed(4), frame(), ax=ax),
        lambda ax: charts.forecast(pd.DataFrame(), pd.DataFrame(), ax=ax),
        lambda ax: charts.goodput(story(), ax=ax),
        lambda ax: charts.interruptions(frame(), ax=ax),
        lambda ax: charts.against(pd.DataFrame(), **PARTS, ax=ax),
        lambda ax: charts.against(isotherms().drop(columns="pressure"), **PARTS, ax=ax),
        lambda ax: charts.against(isotherms().assign(pressure=pd.NA), **PARTS, error="pressure_error", ax=ax),
    )
    FULL = (
        lambda ax: charts.queue_depth(readings(waiting=[3, 1, 0], replicas=[1, 2, 2], dead=[0, 0, 1]), ax=ax),
        lambda ax: charts.progress(campaign(12), ax=ax),
        lambda ax: charts.attempts(campaign(12), "argon/T1.00-rho0.00", ax=ax),
        lambda ax: charts.forecast(mixed(64), ran(mixed(64)), ax=ax),
        lambda ax: charts.goodput(story(("m1", 0, 5, 1, 60, 2), ("m2", 70, 3, None, 60, 2)), ax=ax),
        lambda ax: charts.interruptions(campaign(12), ax=ax),
        lambda ax: charts.against(isotherms(), **PARTS, error="pressure_error", reference=isotherms(), ax=ax),
    )

    ALL = (*FULL, lambda ax: charts.overview(mixed(64), ax=ax))

    @pytest.mark.parametrize("draw", EMPTY)
    def test_without_data_says_so(self, draw: Any) -> None:
        """A live chart starts as a sentence, not as empty axes."""
        ax = draw(None)
        assert any(" yet" in text for text in words(ax))
        assert not ax.axison
        assert " yet" in charts.alt(ax)
        assert faults(ax) == []

    @pytest.mark.parametrize("draw", EMPTY + ALL)
    def test_draws_into_given_axes(self, draw: Any) -> None:
        """A chart goes where the caller wants it, and its picture is the caller's figure."""
        figure = Figure(layout="constrained")
        ax = figure.add_subplot()
        assert draw(ax) is ax
        assert Image.open(io.BytesIO(charts.png(ax))).size == tuple(figure.bbox.size)

    @pytest.mark.parametrize("draw", ALL)
    def test_shows_itself_once_with_alt_text(self, draw: Any) -> None:
        """A notebook shows the figure as an image with alt text, and keeps the PNG and the words."""
        figure = draw(None).figure
        bundle, _ = DisplayFormatter().format(figure)
        sentence = charts.alt(figure.axes[0])
        assert sentence.endswith(".")
        assert f'<img alt="{sentence}" src="data:image/png;base64,' in bundle["text/html"]
        assert bundle["text/plain"] == sentence
        assert Image.open(io.BytesIO(charts.png(figure.axes[0]))).text["Description"] == sentence
        assert "image/png" in bundle

    @pytest.mark.parametrize("draw", FULL)
    def test_names_both_axes(self, draw: Any) -> None:
        """No axis is without a label."""
        ax = draw(None)
        assert ax.get_xlabel()
        assert ax.get_ylabel()

    @pytest.mark.parametrize("draw", ALL)
    def test_texts_neither_collide_nor_are_cut(self, draw: Any) -> None:
        """All texts stand apart and within the picture."""
        ax = draw(None)
        assert faults(ax) == []

    def test_alt_text_cannot_break_out_of_its_tag(self) -> None:
        """Words from the data are escaped in HTML."""
        figure = charts.attempts(campaign(3), '"><script>').figure
        assert "<script>" not in figure._repr_mimebundle_()["text/html"]

    def test_frames_are_left_as_they_were(self) -> None:
        """Drawing changes nothing in the caller's data."""
        attempts, depth = campaign(6), readings(waiting=[2, 1])
        before = attempts.copy(), depth.copy()
        charts.progress(attempts)
        charts.attempts(attempts, "argon/T1.00-rho0.00")
        charts.queue_depth(depth)
        pd.testing.assert_frame_equal(attempts, before[0])
        pd.testing.assert_frame_equal(depth, before[1])

    def test_needs_no_pyplot(self) -> None:
        """Importing and drawing leave pyplot, which keeps figures for ever, alone."""
        code = "import sys, pandas, lrtkit.charts as c; c.progress(pandas.DataFrame()); print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert "matplotlib.figure" in done.stdout.split()
        assert "matplotlib.pyplot" not in done.stdout.split()


class TestStyle:
    """The pieces that all charts share."""

    @given(
        st.lists(st.floats(0, 100), max_size=20).map(np.array),
        st.floats(0.1, 5),
    )
    def test_spread_keeps_labels_apart_and_in_order(self, wanted: np.ndarray, gap: float) -> None:
        """Labels get their gaps, stay in order and within the limits, whatever they are wanted."""
        heights = spread(wanted, gap, low=0, high=100)
        ordered = heights[np.argsort(wanted, kind="stable")]
        assert (np.diff(ordered) >= gap - 1e-9).all()
        assert ((heights >= -1e-9) & (heights <= 100 + 1e-9)).all()

    def test_spread_leaves_alone_what_has_room(self) -> None:
        """A label that is in nobody's way stands level with its line."""
        assert spread(np.array([9.0, 1.0, 5.0]), 2, low=0, high=10).tolist() == [9, 1, 5]

    def test_spread_moves_neighbours_alike(self) -> None:
        """Two labels at one height give way to both sides."""
        assert spread(np.array([5.0, 5.0]), 2, low=0, high=10).tolist() == [4, 6]

    @pytest.mark.parametrize("colour", ["#e69f00", "#56b4e9", "#cc79a7", "#000000"])
    def test_text_is_dark_enough(self, colour: str) -> None:
        """The colour of a label can be read on white."""
        assert np.dot(to_rgb(legible(colour)), (0.2126, 0.7152, 0.0722)) < 0.43

    def test_long_names_lose_their_middle(self) -> None:
        """Both ends of a long name stay, where names of one campaign differ."""
        assert shortened("a" * 40 + "-T1.30") == "a" * 13 + "…" + "aaaaaaa-T1.30"

    def test_long_names_of_one_campaign_can_be_told_apart(self) -> None:
        """What all long names share gives way to what differs, wherever that lies."""
        names = [f"temperature=1.2345678901-density=0.{number:05}-seed=12345678-replica" for number in range(120)]
        told = told_apart(names)
        assert len(set(told)) == 120
        assert max(map(len, told)) <= 28
        assert "00007" in told[7]

    @pytest.mark.parametrize(
        ("names", "told"),
        [
            (["a", "bc"], ["a", "bc"]),
            (["a" * 40], ["a" * 13 + "…" + "a" * 13]),
            (["a" * 40] * 2, ["a" * 13 + "…" + "a" * 13] * 2),
            (["a" * 40, "a" * 44], ["…" + "a" * 11, "…" + "a" * 15]),
            ([], []),
        ],
    )
    def test_names_that_are_short_or_alike_stay_as_they_can(self, names: list[str], told: list[str]) -> None:
        """Short names are left alone, and equal ones lose their middle."""
        assert told_apart(names) == told

    @pytest.mark.parametrize(
        ("span_s", "told"),
        [
            (0, "0 s"),
            (84, "84 s"),
            (400, "6.7 min"),
            (3000, "50 min"),
            (13000, "3.6 h"),
            (9000, "2.5 h"),
            (200000, "56 h"),
            (1e6, "12 d"),
        ],
    )
    def test_durations_read_well(self, span_s: float, told: str) -> None:
        """A span of time comes in the unit that suits it."""
        assert duration(span_s) == told

    def test_every_end_has_a_marker_of_its_own(self) -> None:
        """Without colours, markers still tell the ends apart."""
        assert len({end.marker for end in ENDS}) == len(ENDS)


class TestQueueDepth:
    """The queue over time."""

    def test_steps_over_elapsed_time(self) -> None:
        """Each reading holds until the next one."""
        line = labelled(charts.queue_depth(readings(waiting=[5, 3, 0])), "waiting")
        assert line.get_xdata().tolist() == [0, 10, 20]
        assert line.get_ydata().tolist() == [5, 3, 0]
        assert line.get_drawstyle() == "steps-post"

    def test_sorts_readings(self) -> None:
        """Readings may come in any order."""
        depth = readings(waiting=[5, 3, 0])
        line = labelled(charts.queue_depth(depth.iloc[[2, 0, 1]]), "waiting")
        assert line.get_ydata().tolist() == [5, 3, 0]

    def test_labels_carry_the_last_value(self) -> None:
        """Values stand beside names, at the end of each line."""
        ax = charts.queue_depth(readings(waiting=[5, 3], in_flight=[0, 2], replicas=[0, 2]))
        assert words(ax) == ["waiting 3", "in flight 2", "replicas 2"]

    def test_labels_that_meet_are_kept_apart(self) -> None:
        """Five lines that end at zero have five labels that can be read."""
        ax = charts.queue_depth(
            readings(waiting=[5, 0], in_flight=[1, 0], delayed=[1, 0], dead=[1, 0], replicas=[2, 0])
        )
        assert len(ax.texts) == 5
        assert faults(ax) == []

    def test_lines_differ_without_colour(self) -> None:
        """Every line has a style of its own."""
        ax = charts.queue_depth(
            readings(waiting=[5, 0], in_flight=[1, 0], delayed=[1, 0], dead=[1, 0], replicas=[2, 0])
        )
        styles = {(line._unscaled_dash_pattern, line.get_linewidth()) for line in ax.lines if line.get_marker() != "o"}
        assert len({str(style) for style in styles}) == 5

    def test_dead_letters_are_drawn_only_if_there_are_any(self) -> None:
        """Without dead letters the title says so, and no line clutters the axis."""
        calm = charts.queue_depth(readings(waiting=[5, 3]))
        assert calm.get_title(loc="left") == "3 waiting, 0 in flight, no dead letters"
        assert not any("dead" in text for text in words(calm))
        assert "dead letters 1" in words(charts.queue_depth(readings(waiting=[5, 3], dead=[0, 1])))

    @pytest.mark.parametrize(
        "depth", [readings(waiting=[5, 3]).drop(columns="dead"), readings(waiting=[5, 3], dead=None)]
    )
    def test_nobody_is_said_to_have_looked_for_dead_letters(self, depth: pd.DataFrame) -> None:
        """Where the column is missing or empty, as in an autoscaler's history, the title says nothing of them."""
        ax = charts.queue_depth(depth)
        assert ax.get_title(loc="left") == "3 waiting, 0 in flight"
        assert "dead" not in charts.alt(ax)

    def test_thousands_are_set_apart(self) -> None:
        """Large numbers can be read: on the axis, beside the lines, in title and sentence."""
        ax = charts.queue_depth(readings(waiting=[12345, 10000], dead=[0, 1200]))
        assert ax.get_title(loc="left") == "10,000 waiting, 0 in flight, 1,200 dead letters"
        assert "waiting 10,000" in words(ax)
        assert "at most waiting 12,345" in charts.alt(ax)
        ax.get_figure(root=True).canvas.draw()
        assert "10,000" in [label.get_text() for label in ax.get_yticklabels()]

    def test_says_when_the_queue_is_empty(self) -> None:
        """The end of a campaign reads as one."""
        ax = charts.queue_depth(readings(waiting=[5, 0], dead=[0, 2]))
        assert ax.get_title(loc="left") == "queue empty, 2 dead letters"

    def test_one_reading(self) -> None:
        """A single reading is a point with its label."""
        ax = charts.queue_depth(readings(waiting=[4]))
        assert words(ax) == ["waiting 4", "in flight 0"]
        assert faults(ax) == []

    def test_missing_values_are_skipped(self) -> None:
        """A reading that failed leaves no hole and no warning."""
        depth = readings(waiting=[4, None, 2], replicas=[None, None, None]).astype("Int64")
        ax = charts.queue_depth(depth)
        assert labelled(ax, "waiting").get_ydata().tolist() == [4, 2]
        assert "replicas" not in " ".join(words(ax))

    @settings(max_examples=12, deadline=None)
    @given(st.lists(st.tuples(*[st.integers(0, 2000)] * 5), min_size=1, max_size=6))
    def test_any_readings_give_readable_labels(self, rows: list[tuple[int, ...]]) -> None:
        """Whatever the queue did, labels stand apart and within the picture."""
        columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
        ax = charts.queue_depth(readings(**columns))
        assert faults(ax) == []


class TestProgress:
    """Every job in its lane."""

    def test_title_states_the_fact(self) -> None:
        """Jobs, interruptions and how it ended, counted from the data."""
        ax = charts.progress(campaign(24))
        assert ax.get_title(loc="left") == "24 jobs, 8 interruptions, all finished"
        assert charts.alt(ax).endswith("24 jobs, 8 interruptions, all finished.")

    def test_title_counts_where_jobs_stand(self) -> None:
        """A job stands where its last attempt left it."""
        rows = frame(
            attempt("a", 0, 9, (0, 100)),
            attempt("b", 0, None, (0, 20), outcome="running"),
            interrupted("c", 0, 5, (0, 50)),
            attempt("d", 0, 5, (0, 50), outcome="failed", cause="failure"),
            attempt("e", 0, 5, (0, 50), outcome="cancelled", cause="cancelled"),
        )
        title = charts.progress(rows).get_title(loc="left").replace("\n", " ")
        assert title == "5 jobs, 1 interruption, 1 finished, 1 running, 1 waiting, 1 failed, 1 cancelled"

    def test_lanes_fill_from_0_to_100_percent(self) -> None:
        """The top of a wedge is the progress: here 0 to half, then half to all of a lane's fill."""
        ax = charts.progress(frame(interrupted("a", 0, 10, (0, 50)), attempt("a", 20, 30, (50, 100), generation=2)))
        (first, second), floor = wedges(ax), 0.94
        assert first == pytest.approx(np.array([[0, floor], [0, floor], [10, floor - 0.42], [10, floor]]))
        assert second == pytest.approx(np.array([[20, floor], [20, floor - 0.42], [30, floor - 0.84], [30, floor]]))

    def test_waits_are_dotted_at_the_height_reached(self) -> None:
        """Between two attempts runs a dotted line, level with what was kept."""
        ax = charts.progress(frame(interrupted("a", 0, 10, (0, 50)), attempt("a", 20, 30, (50, 100), generation=2)))
        waits = labelled(ax, "waiting")
        assert isinstance(waits, LineCollection)
        assert waits.get_segments()[0] == pytest.approx(np.array([[10, 0.52], [20, 0.52], [20, 0.52]]))

    def test_interruptions_are_marked_where_they_happened(self) -> None:
        """A marker by cause stands at the end of the attempt, and the key counts them."""
        ax = charts.progress(
            frame(
                interrupted("a", 0, 10, (0, 50)),
                interrupted("b", 0, 20, (0, 50), cause="lease lost"),
                interrupted("c", 0, 30, (0, 50), cause="sigterm"),
                interrupted("d", 0, 35, (0, 50), cause="hand-over"),
                interrupted("e", 0, 40, (0, 50), cause="solar flare"),
                attempt("f", 0, 50, (0, 50), outcome="failed", cause="failure"),
            )
        )
        marks = {line.get_label(): line for line in ax.lines}
        at = {"1 node gone": [10], "1 lease lost": [20], "2 hand-over or stop signal": [30, 35], "1 interrupted": [40]}
        assert {label: line.get_xdata().tolist() for label, line in marks.items()} == at | {"1 failure": [50]}
        assert len({line.get_marker() for line in marks.values()}) == 5
        assert set(marks) <= set(key(ax))

    def test_a_long_key_takes_another_line(self) -> None:
        """With every kind of end present, key and title still stand apart and within the picture."""
        causes = ["node gone", "lease lost", "sigterm", "hand-over", "workload", "solar flare"]
        ends = [interrupted(f"j{n}", n, n + 9, (0, 50), cause=cause) for n, cause in enumerate(causes * 3)]
        others = [attempt(f"k{state}", 0, 9, (0, 50), outcome=state) for state in ("failed", "cancelled", "done")]
        ax = charts.progress(frame(*ends, *others))
        assert "9 hand-over or stop signal or workload" in key(ax)
        assert faults(ax) == []

    def test_tint_changes_with_the_machine(self) -> None:
        """A change of machine shows; an attempt on the same machine keeps the tint."""
        moves = [interrupted("a", 10 * n, 10 * n + 5, (n, n), machine=m, generation=n) for n, m in enumerate("xxyx")]
        tints = [tuple(tint) for tint in labelled(charts.progress(frame(*moves)), "progress").get_facecolor()]
        assert tints[0] == tints[1] != tints[2] != tints[3] == tints[0]

    def test_done_jobs_have_a_tick(self) -> None:
        """A tick, not only a colour, says that a job is done."""
        ticks = labelled(charts.progress(frame(attempt("a", 0, 9, (0, 100)), interrupted("b", 0, 5, (0, 5)))), "1 done")
        assert ticks.get_xdata().tolist() == [9]

    def test_lanes_stand_in_order_of_start_under_their_experiment(self) -> None:
        """The first to start is on top; what all names share is said once."""
        ax = charts.progress(frame(attempt("argon/b", 5, 9, (0, 100)), attempt("argon/a", 0, 9, (0, 100))))
        first, second = ax.texts
        assert (first.get_text(), second.get_text()) == ("a", "b")
        assert first.get_position()[1] < second.get_position()[1]
        assert ax.get_ylim()[0] > ax.get_ylim()[1]
        assert ax.get_ylabel() == "jobs of argon"

    def test_names_of_several_experiments_stay_whole(self) -> None:
        """Names that share nothing are written in full."""
        ax = charts.progress(frame(attempt("argon/a", 0, 9, (0, 100)), attempt("neon/a", 1, 9, (0, 100))))
        assert words(ax) == ["argon/a", "neon/a"]
        assert ax.get_ylabel() == "jobs"

    def test_running_jobs_reach_to_now(self) -> None:
        """An attempt without an end is drawn up to the time of the reading, with its percentage beside."""
        ax = charts.progress(frame(attempt("a", 0, None, (0, 25), outcome="running")), now=after(60))
        assert wedges(ax)[0][2] == pytest.approx([60, 0.94 - 0.21])
        assert words(ax) == ["a", "25 %"]

    def test_running_jobs_reach_to_the_last_time_of_the_frame(self) -> None:
        """Without a time of reading, the last event is the latest that is known."""
        ax = charts.progress(frame(attempt("a", 0, None, (0, 25), outcome="running"), attempt("b", 0, 40, (0, 100))))
        assert wedges(ax)[0][2][0] == 40

    def test_what_is_not_done_is_not_at_100_percent(self) -> None:
        """Percentages are rounded down."""
        ax = charts.progress(frame(attempt("a", 0, None, (0, 999), steps=1000, outcome="running")), now=after(9))
        assert "99 %" in words(ax)

    def test_unknown_steps_are_shown_without_a_percentage(self) -> None:
        """A job without a number of steps has its bar and no invented progress; done is done all the same."""
        unknown = attempt("a", 0, None, (pd.NA, pd.NA), steps=pd.NA, outcome="running")
        ax = charts.progress(frame(unknown, attempt("b", 0, 9, (0, 50), steps=pd.NA)))
        assert words(ax) == ["a", "b"]
        assert np.ptp(wedges(ax)[0][:, 1]) == 0
        assert np.ptp(wedges(ax)[1][:, 1]) == pytest.approx(0.84)

    def test_bare_attempts_are_drawn(self) -> None:
        """A frame in which all that can be missing is missing gives a chart and no warning."""
        nothing = dict.fromkeys(
            ["machine", "worker", "ended_at", "first_step", "last_step", "steps", "outcome", "cause"]
        )
        ax = charts.progress(frame(attempt("a", 0, 1, (0, 1)) | nothing))
        assert ax.get_title(loc="left") == "1 job, no interruptions, 1 running"
        assert faults(ax) == []

    def test_an_attempt_never_ends_before_it_began(self) -> None:
        """A node that vanished before its first save, by a clock that was slow, gets a bar of no length."""
        ax = charts.progress(frame(interrupted("a", 10, 5, (0, 0)), interrupted("b", 0, 20, (0, 10))))
        assert [vertices[2][0] - vertices[0][0] for vertices in wedges(ax)] == [20, 0]

    @pytest.mark.parametrize("jobs", [1, 5, 24, 60, 300])
    def test_any_number_of_jobs_is_readable(self, jobs: int) -> None:
        """Names, key and title stand apart and within the picture."""
        ax = charts.progress(campaign(jobs))
        assert faults(ax) == []
        assert min(text.get_fontsize() for text in ax.texts) >= 7

    def test_long_names_are_told_apart_and_leave_the_title_whole(self) -> None:
        """Jobs that differ in the midst of long names have lanes that can be told apart, and nothing is cut."""
        rows = campaign(12)
        number = rows["job_id"].rank(method="dense").astype(int).astype(str).str.zfill(5)
        names = "argon/temperature=1.2345678901-density=0." + number + "-seed=12345678-replica"
        outcomes = ["failed", "interrupted", "cancelled", "done", "running", "failed", "interrupted", "done"] * 2
        ax = charts.progress(rows.assign(job_id=names, outcome=outcomes))
        assert faults(ax) == []
        assert len(lanes := [text for text in words(ax) if "seed" in text]) == len(set(lanes)) == 12

    def test_thousands_are_set_apart(self) -> None:
        """Large numbers can be read in the title and in the key."""
        ax = charts.progress(frame(*(attempt(str(number), 0, 9, (0, 100)) for number in range(1200))))
        assert ax.get_title(loc="left") == "1,200 jobs, no interruptions, all finished"
        assert "1,200 done" in key(ax)

    def test_long_names_leave_room_for_the_picture(self) -> None:
        """Names of the full 128 characters do not push the lanes out."""
        rows = campaign(8)
        ax = charts.progress(rows.assign(job_id=[f"{'x' * 60}/{'y' * 60}{job[-7:]}" for job in rows["job_id"]]))
        assert faults(ax) == []
        assert ax.get_position().width > 0.5

    def test_a_thousand_attempts_are_a_handful_of_artists(self) -> None:
        """The time to draw grows with the names and kinds of marks, not with the attempts."""
        hops = [interrupted(f"j{n % 60}", n, n + 9, (0, 1), generation=n, machine=f"m{n}") for n in range(1000)]
        assert len(charts.progress(frame(*hops)).get_children()) < 60

    @settings(max_examples=15, deadline=None)
    @given(st.data())
    def test_any_history_is_drawn(self, data: st.DataObject) -> None:
        """Whatever attempts there were, each has its bar and each interruption its mark."""
        maybe = st.none() | st.integers(0, 100)
        row = st.fixed_dictionaries(
            {
                "job_id": st.sampled_from(["a", "e/b", "e/c"]),
                "started_at": st.integers(0, 10**6).map(after),
                "ended_at": st.one_of(st.none(), st.integers(0, 10**6)).map(after),
                "first_step": maybe,
                "last_step": maybe,
                "steps": maybe,
                "outcome": st.sampled_from(["done", "interrupted", "failed", "cancelled", "running", None]),
                "cause": st.sampled_from(["node gone", "sigterm", "lease lost", "hand-over", "workload", None]),
                "machine": st.sampled_from(["m1", "m2", None]),
            }
        )
        rows = frame(*(attempt("", 0, 0, (0, 0)) | told for told in data.draw(st.lists(row, min_size=1, max_size=12))))
        ax = charts.progress(rows)
        marks = [line for line in ax.lines if "done" not in line.get_label()]
        assert len(wedges(ax)) == len(rows)
        assert (
            sum(len(line.get_xdata()) for line in marks)
            == rows["outcome"].isin(["interrupted", "failed", "cancelled"]).sum()
        )
        ax.get_figure().canvas.draw()


class TestAttempts:
    """One job, machine by machine."""

    TWO = frame(
        interrupted("a", 0, 10, (0, 40), machine="0b5d61aa-1111"),
        attempt("a", 25, 60, (40, 100), machine="77c1e0ff-2222", generation=2),
        attempt("b", 0, 99, (0, 100), machine="ffffffff-3333"),
    )

    def test_title_tells_the_story(self) -> None:
        """Attempts, machines, how it ended and when, of this job alone."""
        ax = charts.attempts(self.TWO, "a")
        assert ax.get_title(loc="left") == "a: 2 attempts on 2 machines, done after 60 s"
        assert "steps 0–40, node gone on 0b5d61aa-1111; steps 40–100, done" in charts.alt(ax)  # noqa: RUF001

    def test_bars_stand_level_with_their_machine(self) -> None:
        """Each bar reaches from start to last sign of life, in the row of its machine."""
        ax = charts.attempts(self.TWO, "a")
        bars = [path.vertices[:4] for path in labelled(ax, "attempts").get_paths()]
        assert [(bar[0][0], bar[2][0]) for bar in bars] == [(0, 10), (25, 60)]
        assert [bar[:, 1].mean() for bar in bars] == pytest.approx(list(ax.get_yticks()))
        assert [label.get_text() for label in ax.get_yticklabels()] == ["0b5d61aa…", "77c1e0ff…"]

    def test_bars_say_which_steps_and_what_ended_them(self) -> None:
        """The label of a bar says it all without colour or key."""
        texts = words(charts.attempts(self.TWO, "a"))
        assert texts == ["steps 0–40, node gone", "steps 40–100, done"]  # noqa: RUF001

    @pytest.mark.parametrize(
        ("first", "last", "more", "told"),
        [
            (40, 40, {"outcome": "interrupted", "cause": "sigterm"}, "step 40, stop signal"),
            (None, 12, {"outcome": "failed", "cause": "failure"}, "steps 0–12, failed"),  # noqa: RUF001
            (12, None, {"outcome": "running"}, "from step 12, running"),
            (None, None, {"outcome": "interrupted", "cause": "hand-over"}, "hand-over"),
            (0, 2.5, {"outcome": "interrupted", "cause": None}, "steps 0–2.5, interrupted"),  # noqa: RUF001
        ],
    )
    def test_labels_say_what_is_known(self, first: Any, last: Any, more: dict[str, Any], told: str) -> None:
        """What is not known is left out of the label."""
        assert words(charts.attempts(frame(attempt("a", 0, 9, (first, last), **more)), "a")) == [told]

    def test_the_wait_leads_to_the_next_bar(self) -> None:
        """A dotted line runs from the end of one attempt to the start of the next."""
        (wait,) = labelled(charts.attempts(self.TWO, "a"), "waiting").get_segments()
        assert wait[0][0] == 10
        assert wait[-1][0] == 25

    def test_machines_are_told_apart(self) -> None:
        """Short ids grow until they differ."""
        rows = frame(
            interrupted("a", 0, 9, (0, 4), machine="abcdefgh-1x"), attempt("a", 9, 20, (4, 9), machine="abcdefgh-2x")
        )
        ax = charts.attempts(rows, "a")
        assert [label.get_text() for label in ax.get_yticklabels()] == ["abcdefgh-1x", "abcdefgh-2x"]

    def test_a_long_id_leaves_the_title_whole(self) -> None:
        """An id of 128 letters loses its middle in the title, and stays as it is in the sentence."""
        job = f"argon/{'temperature=1.2345678-momentum-' * 3}seed=123456789"
        ax = charts.attempts(frame(attempt(job, 0, 60, (0, 100), machine="0b5d61aa-1111")), job)
        assert faults(ax) == []
        assert job in charts.alt(ax)

    def test_a_running_attempt_reaches_to_now(self) -> None:
        """A live chart of one job ends at the time of the reading."""
        rows = frame(attempt("a", 0, None, (0, 5), outcome="running"))
        ax = charts.attempts(rows, "a", now=after(30))
        assert ax.get_title(loc="left") == "a: 1 attempt on 1 machine, running after 30 s"

    def test_a_machine_that_comes_back_keeps_its_row_while_labels_have_room(self) -> None:
        """Far apart in time, two attempts on one machine share a row; close together, their labels do not."""

        def rows(gap: int) -> int:
            ax = charts.attempts(frame(interrupted("a", 0, 5, (0, 9)), attempt("a", gap, 1000, (9, 100))), "a")
            return round(ax.get_ylim()[0] - 0.05)

        assert (rows(900), rows(20)) == (1, 2)

    @settings(max_examples=12, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400), st.sampled_from("pqrs")), min_size=1, max_size=14)
    )
    def test_labels_never_collide(self, hops: list[tuple[int, int, str]]) -> None:
        """However attempts and machines follow each other, every label can be read."""
        rows, clock = [], 0
        for number, (wait, length, machine) in enumerate(hops):
            rows.append(
                interrupted("a", clock, clock + length, (number, number + 1), machine=machine, generation=number)
            )
            clock += length + wait
        ax = charts.attempts(frame(*rows), "a")
        assert faults(ax) == []


class TestAgainst:
    """Results beside published values."""

    def test_points_and_bars_per_group(self) -> None:
        """Each value of the parameter has its points, error bars, marker and colour."""
        ax = charts.against(isotherms(), **PARTS, error="pressure_error")
        groups = {bars.get_label(): bars for bars in ax.containers}
        assert list(groups) == ["temperature 1.1", "temperature 1.3", "temperature 2"]
        line, _, (sticks,) = groups["temperature 1.3"]
        expected = isotherms((1.3,))
        assert line.get_ydata() == pytest.approx(expected["pressure"].to_numpy())
        assert [np.ptp(stick[:, 1]) for stick in sticks.get_segments()] == pytest.approx([0.1] * 5)
        assert len({group[0].get_marker() for group in groups.values()}) == 3
        assert len({group[0].get_color() for group in groups.values()}) == 3

    def test_reference_lies_behind_in_the_colour_of_its_group(self) -> None:
        """Published values are thin lines, below the points of the same group."""
        ax = charts.against(isotherms(), **PARTS, reference=isotherms(points=20))
        (bars, *_), lines = ax.containers, [line for line in ax.lines if len(line.get_xdata()) == 20]
        assert len(lines) == 3
        assert lines[0].get_color() == bars[0].get_color()
        assert lines[0].get_zorder() < bars[0].get_zorder()

    def test_labels_stand_at_the_ends(self) -> None:
        """Groups are named where their lines end, in place of a legend."""
        ax = charts.against(isotherms(), **PARTS)
        assert [text for text in words(ax) if "temperature" in text] == [f"temperature {t}" for t in (1.1, 1.3, 2)]
        assert ax.get_legend() is None

    def test_source_is_cited(self) -> None:
        """The citation stands below, and what is a point and what a line."""
        ax = charts.against(isotherms(), **PARTS, error="pressure_error", reference=isotherms(), source="Nobody (1993)")
        assert "Points: results with error bars. Lines: Nobody (1993)." in words(ax)

    def test_labels_default_to_the_columns_names(self) -> None:
        """Underscores become spaces; given labels win."""
        results = isotherms().rename(columns={"pressure": "reduced_pressure"})
        ax = charts.against(results, **PARTS | {"y": "reduced_pressure"}, xlabel="ρσ³")
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("ρσ³", "reduced pressure")

    def test_agreement_is_counted_where_parameters_are_the_same(self) -> None:
        """The title compares only what was published for the very same parameters."""
        results = isotherms()
        results.loc[0, "pressure"] += 1
        published = pd.concat([isotherms((1.1, 1.3)), isotherms((2.0,), points=4)])
        ax = charts.against(results, **PARTS, error="pressure_error", reference=published)
        title = ax.get_title(loc="left").replace("\n", " ")
        assert title == "15 results, 11 of 12 within two error bars of the published value"

    def test_title_without_a_reference(self) -> None:
        """Without anything to compare with, the title counts."""
        ax = charts.against(isotherms(), **PARTS)
        assert ax.get_title(loc="left") == "15 results for 3 values of temperature"

    def test_unfinished_jobs_are_left_out(self) -> None:
        """Rows without a result do not show, and do not warn."""
        results = isotherms().astype({"pressure": "Float64"})
        results.loc[3:, "pressure"] = pd.NA
        assert charts.against(results, **PARTS).get_title(loc="left") == "3 results for 1 value of temperature"

    def test_reference_waits_for_the_first_result(self) -> None:
        """Before any job is done the published values stand alone."""
        ax = charts.against(pd.DataFrame(), **PARTS, reference=isotherms())
        assert ax.get_title(loc="left") == "no results for 3 values of temperature"

    @pytest.mark.parametrize("groups", [("solid", "liquid"), (True, False), (START, after(60))])
    def test_groups_of_any_kind(self, groups: tuple[Any, ...]) -> None:
        """Groups may be words, truths or times."""
        results = isotherms((1.0, 2.0)).assign(temperature=[value for value in groups for _ in range(5)])
        ax = charts.against(results, **PARTS, error="pressure_error", reference=results)
        assert len(ax.containers) == 2

    def test_a_missing_column_is_told(self) -> None:
        """A misspelt parameter names itself and what there is."""
        with pytest.raises(BadInput, match=r"no column rho\. Try: one of temperature, density"):
            charts.against(isotherms(), **PARTS | {"x": "rho"})

    def test_twenty_groups_stay_different_and_apart(self) -> None:
        """More groups than colours still differ by marker and colour together, and labels find room."""
        ax = charts.against(isotherms(tuple(1 + n / 100 for n in range(20))), **PARTS)
        assert len({(bars[0].get_marker(), bars[0].get_color()) for bars in ax.containers}) == 20
        assert faults(ax) == []

    def test_a_single_point_of_each(self) -> None:
        """One result and one published value are enough, and both can be seen."""
        one = isotherms((1.0,), points=1)
        ax = charts.against(one, **PARTS, reference=one)
        assert {line.get_marker() for line in ax.lines if len(line.get_xdata())} >= {"o", "."}
        assert faults(ax) == []

    def test_without_groups_there_is_one_kind_of_point(self) -> None:
        """Where nothing divides the results, one colour and no label, and the title tells from where to where."""
        ax = charts.against(isotherms((1.0,)), x="density", y="pressure")
        assert words(ax) == ["Points: results."]
        assert ax.get_title(loc="left") == "5 results, pressure 0.101 to 1.31"
        assert charts.alt(ax) == "pressure against density: 5 results, pressure 0.101 to 1.31."
        one = charts.against(isotherms((1.0,), points=1), x="density", y="pressure")
        assert one.get_title(loc="left") == "1 result, pressure 0.101"

    @pytest.mark.parametrize(
        ("values", "scale"),
        [
            (np.logspace(-6, -1, 6), "log"),
            ([1, 8, 64, 512], "log"),
            (np.linspace(1, 1000, 6), "linear"),
            ([1e-3, 2e-3, 4e-3], "linear"),
            ([0.0, 1e-3, 1.0], "linear"),
            ([1, 1000], "linear"),
        ],
    )
    def test_a_parameter_that_rises_by_factors_has_a_logarithmic_axis(self, values: Any, scale: str) -> None:
        """What lies more evenly by factors is drawn so; what has a zero, few values or a small range is not."""
        results = pd.DataFrame({"rate": values, "loss": 1.0, "rank": 8})
        ax = charts.against(results, x="rate", y="loss", by="rank", reference=results)
        assert ax.get_xscale() == scale
        assert faults(ax) == []

    def test_a_parameter_of_words_has_a_place_for_each(self) -> None:
        """Words stand side by side in their order, missing ones are left out, and groups stand beside each other."""
        results = pd.DataFrame({"optimizer": ["sgd", "adam", "adam", "lion", None], "loss": [3.0, 1, 2, 4, 9]})
        results["rank"] = [8, 8, 16, 8, 8]
        ax = charts.against(results, x="optimizer", y="loss", by="rank")
        assert [label.get_text() for label in ax.get_xticklabels()] == ["adam", "lion", "sgd"]
        eight, sixteen = (bars[0] for bars in ax.containers)
        assert eight.get_ydata().tolist() == [1, 4, 3]
        assert np.round(eight.get_xdata(orig=False)).tolist() == [0, 1, 2]
        assert eight.get_xdata()[0] < 0 < sixteen.get_xdata()[0]
        assert ax.get_title(loc="left") == "4 results for 2 values of rank"
        assert faults(ax) == []

    def test_words_with_an_order_of_their_own_keep_it(self) -> None:
        """An ordered Categorical stands as it is ordered; its values without a result have no place."""
        sizes = pd.Categorical(["large", "small"], categories=["small", "medium", "large"], ordered=True)
        ax = charts.against(pd.DataFrame({"size": sizes, "loss": [1.0, 2.0]}), x="size", y="loss")
        assert [label.get_text() for label in ax.get_xticklabels()] == ["small", "large"]

    def test_a_published_value_stands_at_its_word(self) -> None:
        """Results and reference of words share their places, and are compared."""
        results = pd.DataFrame({"gas": ["neon", "argon"], "boils": [27.0, 87.3], "error": 0.1})
        published = pd.DataFrame({"gas": ["argon", "krypton"], "boils": [87.3, 119.9]})
        ax = charts.against(results, x="gas", y="boils", error="error", reference=published)
        assert [label.get_text() for label in ax.get_xticklabels()] == ["argon", "krypton", "neon"]
        title = ax.get_title(loc="left").replace("\n", " ")
        assert title == "2 results, 1 of 1 within two error bars of the published value"

    def test_many_long_words_slant_and_stay_clear_of_the_note(self) -> None:
        """Names too long to stand side by side are shortened to what differs, and the note lies below them."""
        names = [f"a-very-long-optimizer-name-{number}-of-nine" for number in range(9)]
        ax = charts.against(pd.DataFrame({"name": names, "loss": 1.0}), x="name", y="loss")
        labels = ax.get_xticklabels()
        assert len({label.get_text() for label in labels}) == 9
        assert all(label.get_rotation() == 30 for label in labels)
        # Boxes of slanting names overlap where the names do not.
        assert [fault for fault in faults(ax) if "Points" in fault or "cut" in fault] == []

    def test_ten_thousand_results_are_smaller_points(self) -> None:
        """Many points leave room for each other."""
        many = charts.against(isotherms((1.0,), points=10_000), x="density", y="pressure")
        few = charts.against(isotherms((1.0,)), x="density", y="pressure")
        assert many.containers[0][0].get_markersize() < few.containers[0][0].get_markersize() / 3
