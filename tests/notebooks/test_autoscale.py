"""The notebook about autoscaling, run twice in one kernel."""

from __future__ import annotations

import base64

import pytest

from lrtkit.autoscaler import Autoscaler
from lrtkit.function import invoke
from lrtkit.salad import GroupStatus
from lrtkit.wire.errors import NotFound
from tests.notebooks.running import complaints, experiments, run, shown_secrets


@pytest.fixture(scope="module")
def executed(folder):
    parameters = {"cloud_folder": str(folder / ".lrt"), "out_folder": str(folder), "jobs": 5, "steps": 20}
    return run("05_autoscale.ipynb", parameters, into=folder, twice=True)


@pytest.fixture(scope="module")
def scaler(executed, folder) -> Autoscaler:
    return Autoscaler.from_env_file(folder / ".lrt" / "autoscaler.env")


def test_every_job_is_done_and_nothing_is_spent_any_more(scaler, folder):
    """The bucket has all results, the queue is empty, and the group is stopped."""
    first, second = experiments("autoscaled-", folder / ".lrt")
    assert first.status()["state"].tolist() == second.status()["state"].tolist() == ["done"] * 5
    assert scaler.look().open_jobs == 0
    assert scaler.salad.get_group(scaler.group).status is GroupStatus.STOPPED


def test_the_steps_of_hand_and_function_are_in_one_history(scaler):
    """Dry runs, the applied step, the function's and the last one are kept, in their order."""
    kept = scaler.history()
    assert [step["outcome"] for step in kept[:4]] == ["dry run", "dry run", "done", "nothing to do"]
    assert kept[-1]["decision"]["action"] == "stop"
    assert len(kept) > 6


def test_the_function_is_gone(executed, folder):
    """What was deployed was undeployed."""
    with pytest.raises(NotFound, match="there is no function lrtkit-lrt-workers"):
        invoke(folder / ".lrt" / "autoscaler.env")


def test_its_pictures_are_there(executed, folder):
    """Both charts lie where the parameter says, and the notebook keeps its own with words for them."""
    assert sorted(path.name for path in folder.glob("*.png")) == ["autoscaled.png", "backtest.png"]
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    pictures = [each.data for each in outputs if "image/png" in each.get("data", {})]
    assert len(pictures) == 2 * 3
    assert all(base64.b64decode(each["image/png"]).startswith(b"\x89PNG") for each in pictures)
    assert "default against guide" in pictures[1]["text/plain"]


def test_the_panel_survives_without_widgets(executed):
    """Where no widget runs, the panel's cell still says what it said."""
    cells = [cell for cell in executed.cells if "panel.Panel(" in cell.source]
    assert all('role="status"' in cell.outputs[0].data["text/html"] for cell in cells)
    assert len(cells) == 2


def test_nothing_warns_and_no_key_shows(executed, folder):
    """The error stream is empty, and the outputs have no secret of the env files."""
    assert complaints(executed) == []
    assert shown_secrets(executed, folder / ".lrt") == []
