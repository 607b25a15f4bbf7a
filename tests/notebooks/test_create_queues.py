"""The notebook that sets up queues, bucket and keys, run as papermill runs it, on a local cloud of its own."""

from __future__ import annotations

import shutil

import nbformat
import pytest

from lrtkit import connect, local
from lrtkit.queues import Admin, Role, Setup, doctor
from lrtkit.wire.settings import read_env_file
from tests.notebooks.running import complaints, run, shown_secrets


@pytest.fixture(scope="module")
def executed(folder) -> nbformat.NotebookNode:
    """The notebook, run twice in one kernel."""
    parameters = {
        "queue": "campaign.fifo",
        "bucket": "campaign",
        "env_folder": str(folder / "keys"),
        "cloud_folder": str(folder / ".lrt"),
    }
    return run("01_create_queues.ipynb", parameters, into=folder, twice=True)


@pytest.fixture
def setup(executed, folder) -> Setup:
    """The set-up that the notebook has left, looked at from outside."""
    admin = Admin.from_env_file(folder / ".lrt" / "submitter.env")
    return Setup(admin, folder / "keys", queue="campaign.fifo", bucket="campaign")


def test_everything_is_there_as_wanted(setup):
    """The services, not the notebook's own words, say that nothing is left to do."""
    assert setup.plan().is_settled
    assert {str(step.action) for step in setup.plan().steps} == {"keep"}


def test_each_role_has_a_private_file_that_connects(setup, folder):
    """Four env files for their owner alone, each healthy, with a key each, of which the worker's old one is gone."""
    for role in Role:
        path = folder / "keys" / f"{role}.env"
        assert path.stat().st_mode & 0o777 == 0o600
        connect(path).check()
        assert doctor(path).is_healthy
        keys = setup.admin.users.list_access_keys(UserName=f"job-{role}")["AccessKeyMetadata"]
        assert [key["AccessKeyId"] for key in keys] == [read_env_file(path)["SQS_AWS_ACCESS_KEY_ID"]]


def test_nothing_warns_and_no_key_shows(executed, folder):
    """No output is on the error stream, and no secret of any env file is in the executed notebook."""
    assert complaints(executed) == []
    assert len([*(folder / "keys").glob("*.env"), *(folder / ".lrt").glob("*.env")]) == 7
    assert shown_secrets(executed, folder / "keys") == []
    assert shown_secrets(executed, folder / ".lrt") == []


def test_it_shows_plan_rights_and_doctor(executed):
    """What a reader comes for is in the outputs, as tables."""
    html = "".join(
        out.data.get("text/html", "") for cell in executed.cells for out in cell.get("outputs", []) if "data" in out
    )
    for word in ("create", "RedrivePolicy", "sqs:ReceiveMessage", "conditional writes", "not enforced here"):
        assert word in html


def test_it_runs_again_on_a_new_local_cloud(executed, folder, tmp_path):
    """The env files of an earlier local cloud are in nobody's way: their keys have gone with it."""
    keys = shutil.copytree(folder / "keys", tmp_path / "keys")
    again = local.up(tmp_path / ".lrt")
    try:
        setup = Setup(Admin.from_env_file(again.submitter_env), keys, queue="campaign.fifo", bucket="campaign")
        assert {str(step.action) for step in setup.plan().steps} == {"create"}
        setup.apply()
        connect(keys / "submitter.env").check()
    finally:
        again.down()
