"""The board without a page: what its widgets ask for, and what its thread makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.dashboard import Dashboard, watch
from lrtkit.dashboard.face import CHARTS, Picture, headline, table
from lrtkit.dashboard.orders import Orders
from lrtkit.dashboard.reading import Reading, look
from lrtkit.progress import View
from lrtkit.wire.errors import Unavailable
from lrtkit.wire.record import Cause, Failure, Holder, Record, Saved, State

EVIL = "<script>alert(1)</script>"


def view(name: str, record: Record | None = None, **more: Any) -> View:
    return View(f"exp/{name}", {"job_id": f"exp/{name}", "steps": 10}, "f", sent=True, record=record, **more)


def at(second: int) -> str:
    return f"2026-11-24T10:00:{second:02}.000Z"


CLAIMED = Record(State.WAITING).claimed(Holder("w", "machine-a"), fingerprint="f", steps=10, now=at(0))
SAVED = CLAIMED.saved(Saved({"step": 4}, saved_at=at(4)), now=at(4))
VIEWS = (
    view("a-done", SAVED.done(1, {}, now=at(9))),
    view("b-failed", SAVED.failed(Failure("ValueError", EVIL, f"Traceback {EVIL}"), final=True, now=at(5))),
    view("c-running", SAVED.interrupted(Cause.NODE_GONE, now=at(6)).claimed(
        Holder("w", "machine-b"), fingerprint="f", steps=10, now=at(8))),
    view("d-queued"),
)  # fmt: skip


class Jobs:
    """An experiment that is four views, and remembers what it was asked for."""

    name = "exp"

    def __init__(self, *views: View) -> None:
        self.now = views or VIEWS
        self.looks = 0
        self.end_after = 10**9
        self.trouble: Exception | None = None
        self.asked: list[tuple[str, Any]] = []

    def views(self) -> list[View]:
        """Look, or run into trouble."""
        self.looks += 1
        if self.trouble:
            raise self.trouble
        return list(self.now) if self.looks < self.end_after else [VIEWS[0]]

    def depth(self) -> pd.DataFrame:
        """A reading for each look, and one from before."""
        index = pd.DatetimeIndex([pd.Timestamp(at(second)) for second in range(self.looks + 1)], name="at")
        return pd.DataFrame({"waiting": 1, "in_flight": 1, "delayed": 0, "dead": 1}, index=index)

    def cancel(self, ids: Any) -> pd.DataFrame:
        """Hear of it."""
        return self._did("cancel", ids)

    def retry(self, ids: Any) -> pd.DataFrame:
        """Hear of it."""
        return self._did("retry", ids)

    def _did(self, verb: str, ids: Any) -> pd.DataFrame:
        self.asked.append((verb, ids))
        return pd.DataFrame({"outcome": [f"{verb} heard"]}, index=[ids])


class Scaler:
    """An autoscaler that counts its steps."""

    def __init__(self) -> None:
        self.steps: list[bool] = []

    def look(self) -> Any:
        """Two replicas."""
        return SimpleNamespace(replicas=2)

    def step(self, *, dry_run: bool = False) -> object:
        """Count."""
        self.steps.append(dry_run)
        return "from 1 to 2 <replicas>"


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def scaler() -> Scaler:
    return Scaler()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[CapturedIO]:
    """What a page would get: a shell as a kernel has one, whose displays are caught."""
    shell = InteractiveShell.instance(ipython_dir=str(tmp_path))
    assert shell.history_manager
    shell.history_manager.enabled = False
    with capture_output() as caught:
        yield caught
    InteractiveShell.clear_instance()


@pytest.fixture
def board(jobs: Jobs, scaler: Scaler, page: CapturedIO, until: Callable[..., object]) -> Iterator[Dashboard]:
    """A board that reads only when it is told to."""
    board = Dashboard(jobs, scaler=scaler, refresh_s=300)
    board._ipython_display_()
    yield board
    board.close()
    until(lambda: not board.is_live)


@pytest.fixture
def lively(jobs: Jobs, page: CapturedIO, until: Callable[..., object]) -> Iterator[Dashboard]:
    """A board that reads all the time."""
    board = Dashboard(jobs, refresh_s=0.02)
    board._ipython_display_()
    yield board
    board.close()
    until(lambda: not board.is_live)


class TestOrders:
    """The thread that the board leaves its orders to."""

    def orders(self, round_: Callable[[], object], due_in_s: float | None, heard: list[Exception]) -> Orders:
        """A thread that has not been started."""
        return Orders(round_, due_in_s=lambda: due_in_s, complain=heard.append)

    def test_comes_round_by_itself(self, until: Callable[..., object]) -> None:
        """What is due is done again and again without an order."""
        done: list[int] = []
        orders = self.orders(lambda: done.append(1), 0.001, [])
        orders.start()
        until(lambda: len(done) > 3)
        orders.stop()
        until(lambda: not orders.is_running)

    def test_never_comes_round_where_nothing_is_due(self, until: Callable[..., object]) -> None:
        """A paused board carries out orders, and nothing else."""
        done: list[str] = []
        orders = self.orders(lambda: done.append("round"), None, [])
        orders.start()
        orders.put(lambda: done.append("order"))
        orders.stop()
        until(lambda: not orders.is_running)
        assert done == ["order"]

    def test_goes_on_after_what_went_wrong(self, until: Callable[..., object]) -> None:
        """An error is told, and the next order is carried out."""
        heard: list[Exception] = []
        done: list[str] = []
        orders = self.orders(lambda: None, None, heard)
        orders.start()
        orders.put(lambda: int("no"))
        orders.put(lambda: done.append("next"))
        until(lambda: done)
        orders.stop()
        assert [type(each) for each in heard] == [ValueError]

    def test_a_start_follows_a_stop_at_once(self, until: Callable[..., object]) -> None:
        """A view that is closed and opened in one moment has a thread all the same."""
        orders = self.orders(lambda: None, None, [])
        orders.start()
        orders.stop()
        orders.start()
        done: list[bool] = []
        orders.put(lambda: done.append(True))
        until(lambda: done == [True])
        orders.stop()
        until(lambda: not orders.is_running)


class TestBoard:
    """Widgets and thread together."""

    def test_shows_what_was_read(self, board: Dashboard) -> None:
        """Line, picture with its sentence, and every job with its state are there from the start."""
        controls = board.controls
        assert "exp: 1 failed, 1 running, 1 queued, 1 done. Read at" in controls.headline.value
        assert 'alt="A cell for each of 4 jobs' in controls.picture.value
        states = [label.partition(" · ")[2] for label, _ in controls.jobs.options]
        assert states == ["done", "failed", "running", "queued"]
        assert controls.jobs.value is None

    def test_leaves_line_picture_and_table_for_a_page_without_a_kernel(
        self, board: Dashboard, page: CapturedIO
    ) -> None:
        """Beside the widgets lies what stays: it is hidden by the live board alone."""
        still = next(output.data for output in page.outputs if "text/html" in output.data)
        assert "exp: 1 failed, 1 running" in still["text/html"]
        assert "<table" in still["text/html"]
        assert still["image/png"] in still["text/html"]
        mark = still["text/html"].partition('class="')[2].partition('"')[0]
        assert f".{mark} {{ display: none }}" in board.controls.picture.value

    def test_every_control_has_a_label(self, board: Dashboard) -> None:
        """Whoever cannot see the board hears what each control is."""
        controls = board.controls
        each = [controls.chart, controls.pause, controls.every, controls.state, controls.words, controls.jobs]
        each += [controls.cancel, controls.retry, controls.step, controls.question.yes, controls.question.no]
        assert all(widget.description for widget in each)

    @pytest.mark.parametrize("chart", list(CHARTS))
    def test_draws_every_chart(self, board: Dashboard, until: Callable[..., object], chart: str) -> None:
        """Each choice has its picture."""
        before = board.controls.picture.value
        board.controls.chart.value = chart
        until(lambda: chart == "all jobs" or board.controls.picture.value != before)
        assert board.controls.message.value == ""

    def test_filters_by_state_and_words(self, board: Dashboard, until: Callable[..., object]) -> None:
        """List and picture hold the jobs that the filter leaves."""
        board.controls.state.value = "failed"
        until(lambda: [job for _, job in board.controls.jobs.options] == ["exp/b-failed"])
        until(lambda: 'alt="A cell for each of 1 job' in board.controls.picture.value)
        board.controls.state.value = "all"
        board.controls.words.value = "QUEUED d"
        until(lambda: [job for _, job in board.controls.jobs.options] == ["exp/d-queued"])

    def test_a_job_that_is_picked_tells_its_story(self, board: Dashboard, until: Callable[..., object]) -> None:
        """In words, with its ribbon, and with nothing of it taken for HTML."""
        board.controls.jobs.value = "exp/b-failed"
        until(lambda: "It was received once: 1 failure" in board.controls.story.value)
        assert 'alt="Where the time of a job went' in board.controls.story.value
        assert EVIL not in board.controls.story.value
        assert "&lt;script&gt;" in board.controls.story.value

    def test_the_picked_job_stays_picked(self, lively: Dashboard, jobs: Jobs, until: Callable[..., object]) -> None:
        """A list that changes around it does not take the choice away."""
        lively.controls.jobs.value = "exp/d-queued"
        jobs.now = (*VIEWS[:3], view("d-queued", CLAIMED))
        until(lambda: ("exp/d-queued · running", "exp/d-queued") in lively.controls.jobs.options)
        assert lively.controls.jobs.value == "exp/d-queued"

    @pytest.mark.parametrize("verb", ["cancel", "retry"])
    def test_asks_before_it_acts(self, board: Dashboard, jobs: Jobs, until: Callable[..., object], verb: str) -> None:
        """A button asks; no leaves everything as it is; yes does it once, and tells what came of it."""
        controls = board.controls
        controls.jobs.value = "exp/d-queued"
        getattr(controls, verb).click()
        assert "exp/d-queued" in controls.question.words.value
        controls.question.no.click()
        controls.question.yes.click()  # of a question that was answered
        getattr(controls, verb).click()
        controls.question.yes.click()
        controls.question.yes.click()
        until(lambda: f"exp/d-queued: {verb} heard." in controls.message.value)
        assert jobs.asked == [(verb, "exp/d-queued")]
        assert controls.question.box.layout.display == "none"

    def test_without_a_job_it_says_what_to_do(self, board: Dashboard) -> None:
        """Nothing is asked about a job that nobody has picked."""
        board.controls.cancel.click()
        assert "No job is chosen. Try:" in board.controls.message.value
        assert board.controls.question.box.layout.display == "none"

    def test_a_step_is_shown_first(self, board: Dashboard, scaler: Scaler, until: Callable[..., object]) -> None:
        """The dry run is what is asked about, and only then the step is made."""
        board.controls.step.click()
        until(lambda: "from 1 to 2 &lt;replicas&gt;" in board.controls.question.words.value)
        assert scaler.steps == [True]
        board.controls.question.yes.click()
        until(lambda: scaler.steps == [True, False])

    def test_without_a_scaler_there_is_no_button_for_it(self, jobs: Jobs) -> None:
        """What cannot be done is not offered."""
        assert Dashboard(jobs).controls.step.layout.display == "none"

    def test_trouble_is_told_and_passes(self, lively: Dashboard, jobs: Jobs, until: Callable[..., object]) -> None:
        """A network that is away leaves the last picture and a sentence, and the board goes on by itself."""
        jobs.trouble = Unavailable("the bucket does not answer. Try: wait")
        until(lambda: "the bucket does not answer" in lively.controls.trouble.value)
        assert "A cell for each of 4 jobs" in lively.controls.picture.value
        jobs.trouble, jobs.now = None, VIEWS[:2]
        until(lambda: "A cell for each of 2 jobs" in lively.controls.picture.value)
        assert lively.controls.trouble.value == ""

    def test_an_order_that_fails_is_told(self, board: Dashboard, jobs: Jobs, until: Callable[..., object]) -> None:
        """What was asked for and did not come about is told, and the board goes on."""
        board.controls.jobs.value = "exp/a-done"
        board.controls.retry.click()
        jobs.trouble = Unavailable("the bucket does not answer")
        board.controls.question.yes.click()
        until(lambda: "Unavailable: the bucket does not answer" in board.controls.message.value)
        assert board.is_live

    def test_what_is_wrong_at_first_is_told_in_the_cell(self, jobs: Jobs) -> None:
        """A board that cannot read anything is none."""
        jobs.trouble = Unavailable("the bucket does not answer")
        with pytest.raises(Unavailable):
            Dashboard(jobs)

    def test_reads_by_itself_unless_paused(self, lively: Dashboard, jobs: Jobs, until: Callable[..., object]) -> None:
        """It reads again after its interval; paused, it only does what it is asked to."""
        until(lambda: jobs.looks > 3)
        lively.controls.pause.value = True
        lively.controls.chart.value = "queue"
        until(lambda: "Queue depth" in lively.controls.picture.value)  # and with that everything from before the pause
        looks = jobs.looks
        lively.controls.chart.value = "all jobs"
        until(lambda: "A cell for" in lively.controls.picture.value)
        assert jobs.looks == looks
        lively.controls.pause.value = False
        until(lambda: jobs.looks > looks)

    def test_ends_with_its_last_view_and_goes_on_with_the_next(
        self, board: Dashboard, until: Callable[..., object]
    ) -> None:
        """Nobody looks, nothing is read."""
        board.controls.box._view_count = 1
        board.controls.box._view_count = 0
        until(lambda: not board.is_live)
        board.controls.box._view_count = 1
        assert board.is_live


class TestFace:
    """What is left in a notebook without a kernel."""

    def test_picture_in_three_forms(self, jobs: Jobs) -> None:
        """HTML with the alt text, the same PNG, and the words."""
        reading = look(jobs)
        bundle = Picture.of(CHARTS["all jobs"](reading, reading.chosen())).bundle()
        assert bundle["text/plain"] in bundle["text/html"]
        assert bundle["image/png"] in bundle["text/html"]

    def test_table_begins_with_what_asks_for_a_hand(self) -> None:
        """Failed jobs come first, errors are escaped, and what does not fit is counted."""
        many = Jobs(*VIEWS, *(view(f"e{number:03}") for number in range(100)))
        html = table(look(many).chosen())
        assert html.index("b-failed") < html.index("c-running") < html.index("d-queued")
        assert EVIL not in html
        assert "and 84 more" in html

    def test_an_experiment_without_jobs(self) -> None:
        """There is a line and a picture before there is a job."""
        reading = Reading(pd.Timestamp(at(0)), (), Jobs().depth())
        assert headline("exp", reading).startswith("exp: no jobs yet.")
        assert "no jobs yet" in Picture.of(CHARTS["all jobs"](reading, reading.chosen())).alt
        for draw in CHARTS.values():
            assert draw(reading, reading.chosen())


def test_watching_ends_with_the_last_job(jobs: Jobs, scaler: Scaler, page: CapturedIO) -> None:
    """It returns what was seen on the way, and nothing from before, with the replicas where they were looked at."""
    jobs.end_after = 3
    seen = watch(jobs, scaler=scaler, refresh_s=0.001)
    assert seen.index.tolist() == [pd.Timestamp(at(second)) for second in (1, 2, 3)]
    assert seen["replicas"].tolist() == [pd.NA, 2, 2]
    assert "replicas" not in watch(jobs, refresh_s=0.001)


def test_watching_ends_with_the_time(jobs: Jobs, page: CapturedIO) -> None:
    """Jobs that do not end are not waited for any longer than asked for."""
    assert len(watch(jobs, refresh_s=0.001, timeout_s=0.01)) >= 1


def test_an_experiment_has_a_board(cloud: Cloud, page: CapturedIO, until: Callable[..., object]) -> None:
    """From real queues and a real bucket: jobs that were sent are on it, and cancel works."""
    exp = Experiment("exp", cloud)
    exp.submit([{"name": "one", "steps": 5}, {"name": "two", "steps": 5}])
    board = exp.dashboard(refresh_s=300)
    board._ipython_display_()
    board.controls.jobs.value = "exp/two"
    board.controls.cancel.click()
    board.controls.question.yes.click()
    until(lambda: "exp/two: cancelled." in board.controls.message.value)
    assert exp.status()["state"].tolist() == ["queued", "cancelled"]
    assert "1 queued, 1 cancelled" in repr(board)
    board.close()
