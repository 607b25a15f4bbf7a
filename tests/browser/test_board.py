"""The board of an experiment, used with a mouse and a keyboard in JupyterLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from lrtkit import Experiment, autoscaler, connect, local, queues, salad
from tests.browser.conftest import Lab
from tests.waiting import until

JOBS = 24
CELLS = [
    "import lrtkit\nfrom lrtkit.autoscaler import Autoscaler",
    'exp = lrtkit.Experiment("sums", lrtkit.connect("../.board/submitter.env"))\n'
    'board = exp.dashboard(scaler=Autoscaler.from_env_file("../.board/autoscaler.env"), refresh_s=1)',
    "board",
    "pass",
]


class World:
    """What the board is about: the jobs and the container group as they are, whatever a page shows."""

    def __init__(self, folder: Path) -> None:
        here = local.up(folder, startup_s=0)
        cloud = connect(here.submitter_env)
        queues.make(cloud)
        self.exp = Experiment("sums", cloud)
        self.exp.submit([{"name": f"sum-{number:02}", "steps": 3000} for number in range(JOBS)])
        self.scaler = autoscaler.Autoscaler.from_env_file(here.autoscaler_env)
        settings = {"STEP_SECONDS": "0.05", "LRT_CHECKPOINT_SECONDS": "1"}
        salad.deploy(self.scaler.salad, salad.Workers("lrt-workers", "lrtkit-worker", here.worker_env, settings))

    def state(self, name: str) -> str:
        """The state of a job."""
        return str(self.exp.status()["state"][f"sums/{name}"])

    @property
    def replicas(self) -> int:
        """How many replicas the container group has."""
        return int(self.scaler.salad.get_group("lrt-workers").replicas)


class Board:
    """The board as it is on the page."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.page = lab, lab.page
        self.whole = self.page.locator(".lrt-board")

    @property
    def headline(self) -> str:
        """What stands above the picture."""
        return self.whole.locator("b").first.inner_text()

    @property
    def picture(self) -> str:
        """The sentence that stands for the picture."""
        return self.whole.locator("img").first.get_attribute("alt") or ""

    def press(self, words: str) -> None:
        """Press a button."""
        self.whole.get_by_role("button", name=words, exact=True).click()

    def pick(self, name: str) -> None:
        """Pick a job of the list."""
        (place,) = [number for number, each in enumerate(self.listed()) if name in each]
        self.whole.get_by_label("Jobs").select_option(index=place)

    def expect(self, words: str) -> None:
        """Wait until words are there."""
        self.whole.get_by_text(words).first.wait_for()

    def listed(self) -> list[str]:
        """The jobs in the list."""
        options = self.whole.get_by_label("Jobs").locator("option").all_inner_texts()
        return [each.replace("\xa0", " ") for each in options]

    def choose(self, label: str, value: str) -> None:
        """Choose from what drops down."""
        self.whole.get_by_label(label).select_option(value)


@pytest.fixture(scope="module")
def world(lab: Lab) -> Iterator[World]:
    """Twenty-four sums in a queue, and a container group that has no replicas yet."""
    folder = lab.folder / ".board"
    yield World(folder)
    local.down(folder)


@pytest.fixture(scope="module")
def board(lab: Lab, world: World) -> Board:
    """The board, open in a notebook of its own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, lab.folder / "notebooks" / "board.ipynb")
    lab.open("board.ipynb")
    lab.run_all()
    board = Board(lab)
    board.expect("Refresh every")
    return board


@pytest.fixture
def cancelled(world: World) -> str:
    """A job that is cancelled, whatever other tests have done."""
    world.exp.cancel(["sum-09"])
    return "sums/sum-09"


@pytest.fixture
def running(world: World) -> None:
    """Replicas that run the jobs, whatever other tests have done."""
    if not world.replicas:
        world.scaler.step()


def test_it_is_live_and_can_be_paused(board: Board) -> None:
    """The headline tells a later time by itself, and keeps its time while it is paused."""
    first = board.headline
    assert first.startswith(f"sums: {JOBS} queued.")
    until(lambda: board.headline != first)
    board.press("Pause")

    def is_still() -> bool:
        before = board.headline
        board.page.wait_for_timeout(2500)
        return board.headline == before

    until(is_still)  # once what was under way is over
    paused = board.headline
    board.press("Pause")
    until(lambda: board.headline != paused)
    board.lab.picture("board-queued")


def test_cancel_asks_first(board: Board, world: World) -> None:
    """Nothing is cancelled before somebody has said yes, and what came of it is told."""
    board.pick("sum-07")
    board.expect("sums/sum-07 is queued")
    board.press("Cancel job…")
    board.expect("Cancel sums/sum-07?")
    board.lab.picture("board-asks")
    board.press("No")
    assert world.state("sum-07") == "queued"
    board.press("Cancel job…")
    board.press("Yes, cancel it")
    board.expect("sums/sum-07: cancelled.")
    assert world.state("sum-07") == "cancelled"


def test_retry_asks_first(board: Board, world: World) -> None:
    """A cancelled job stays so until somebody has said yes, and then it is sent again."""
    world.exp.cancel(["sum-11"])
    board.pick("sum-11")
    board.expect("sums/sum-11 is cancelled")
    board.press("Retry job…")
    board.expect("Retry sums/sum-11?")
    board.press("No")
    assert world.state("sum-11") == "cancelled"
    board.press("Retry job…")
    board.press("Yes, retry it")
    board.expect("sums/sum-11: sent again.")
    assert world.state("sum-11") != "cancelled"


def test_filter(board: Board, cancelled: str) -> None:
    """The list and the picture hold only jobs in the chosen state, and with the words in their names."""
    board.choose("State", "cancelled")
    until(lambda: f"{cancelled} · cancelled" in board.listed())
    until(lambda: all(each.endswith("cancelled") for each in board.listed()))
    until(lambda: " cancelled" in board.picture and "queued" not in board.picture)
    board.choose("State", "all")
    find = board.whole.get_by_label("Find")
    find.fill("sum-1")
    find.press("Enter")
    until(lambda: len(board.listed()) == 10)
    find.fill("")
    find.press("Enter")
    until(lambda: len(board.listed()) == JOBS)


def test_a_step_of_the_autoscaler_asks_first(board: Board, world: World) -> None:
    """It shows what would be done, does it once somebody agrees, and the jobs begin to run."""
    board.press("Autoscaler step…")
    board.expect("(dry run)")
    assert world.replicas == 0
    board.press("Yes, do it")
    until(lambda: world.replicas > 0)
    until(lambda: "running" in board.headline)


def test_it_answers_while_a_cell_runs(board: Board) -> None:
    """A click is not left waiting for a cell that waits for the jobs."""
    board.lab.run_in_last_cell("import time; time.sleep(60)")
    running = board.page.locator(".jp-InputPrompt", has_text="[*]")
    running.wait_for()
    board.press("queue")
    until(lambda: board.picture.startswith("Queue depth"))
    assert running.count() == 1
    board.press("all jobs")
    board.lab.menu("Kernel", "Interrupt Kernel")
    board.lab.idle()
    board.lab.run_in_last_cell("pass")
    board.lab.idle()


def test_the_keyboard_reaches_every_control(board: Board) -> None:
    """From the first choice of picture on, the tab key leads to each control in the order of the page."""
    board.whole.get_by_role("button", name="all jobs").focus()
    words = "() => document.activeElement.ariaLabel || document.activeElement.innerText || document.activeElement.title"
    labels = "() => [...(document.activeElement.labels || [])].map(each => each.innerText).join()"
    met = []
    for _ in range(14):
        met.append(board.page.evaluate(labels) or board.page.evaluate(words))
        board.page.keyboard.press("Tab")
    expected = ["Pause", "Refresh every", "State", "Find", "Jobs", "Cancel job…", "Retry job…", "Autoscaler step…"]
    assert [each for each in met if each in expected] == expected


def test_the_story_of_a_running_job(board: Board, running: None) -> None:
    """A job that is picked tells its story, with the ribbon of its time."""
    board.choose("State", "running")
    until(lambda: board.listed() and all("running" in each for each in board.listed()))
    board.whole.get_by_label("Jobs").select_option(index=0)
    board.expect("It was received once")
    board.whole.locator("img[alt*='goodput']").wait_for()
    board.choose("State", "all")
    board.press("time left")
    until(lambda: board.picture.startswith("Work done"))
    board.lab.picture("board-story")
    board.press("all jobs")


def test_a_page_that_is_loaded_again_goes_on(board: Board) -> None:
    """After the page was loaded again the board is there, and live, and the spare picture is hidden."""
    page = board.page
    board.lab.menu("File", "Save Notebook")
    page.wait_for_selector(".jp-NotebookPanel:not(.jp-mod-dirty)")
    page.reload()
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
    board.expect("Refresh every")
    before = board.headline
    until(lambda: board.headline != before)
    assert page.locator(".jp-OutputArea [class^='lrt-']").is_hidden()


def test_it_is_readable_in_narrow_and_in_dark(board: Board) -> None:
    """On a narrow page nothing sticks out, and the dark theme leaves words and picture readable."""
    page = board.page
    page.set_viewport_size({"width": 760, "height": 1000})

    def fits() -> bool:
        edge, place = page.locator(".jp-NotebookPanel-notebook").first.bounding_box(), board.whole.bounding_box()
        assert edge
        assert place
        return edge["width"] < 760 and place["x"] + place["width"] <= edge["x"] + edge["width"] + 1

    until(fits)
    board.lab.picture("board-narrow")
    page.set_viewport_size({"width": 1280, "height": 1000})
    board.lab.menu("Settings", "Theme", "JupyterLab Dark")
    page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    board.lab.picture("board-dark")


def test_a_kernel_that_is_started_again_shows_the_same(board: Board, cancelled: str, running: None) -> None:
    """What was cancelled is cancelled, and what runs is running, for a kernel that knows of nothing."""
    board.lab.menu("Kernel", "Restart Kernel and Run All Cells…")
    board.page.click(".jp-Dialog button:has-text('Restart')")
    board.lab.idle()
    board.expect("Refresh every")
    until(lambda: " cancelled" in board.headline and "running" in board.headline)


def test_it_ends_when_it_is_closed(board: Board) -> None:
    """Once its output is cleared nobody looks, and the reading ends by itself."""
    lab = board.lab
    lab.menu("Edit", "Clear Outputs of All Cells")
    lab.run_in_last_cell("while board.is_live: pass\nprint('it has', 'ended')")
    lab.page.get_by_text("it has ended").wait_for()
