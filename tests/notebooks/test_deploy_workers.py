"""The notebook that deploys workers, run twice in one kernel."""

from __future__ import annotations

import pytest

from lrtkit.salad import GroupStatus, SaladClient
from tests.notebooks.running import complaints, experiments, run, shown_secrets


@pytest.fixture(scope="module")
def executed(folder):
    return run("03_deploy_workers.ipynb", {"cloud_folder": str(folder / ".lrt"), "steps": 30}, into=folder, twice=True)


def test_it_leaves_a_group_that_costs_nothing(executed, folder):
    """SaladCloud itself says that the group is there, as described, stopped, and without an instance."""
    client = SaladClient.from_env_file(folder / ".lrt" / "autoscaler.env")
    group = client.get_group("lrt-workers")
    assert (group.status, group.priority, group.image) == (GroupStatus.STOPPED, "batch", "lrtkit-worker")
    assert client.usd_per_hour(group) == 0.16
    assert client.list_instances("lrt-workers") == []


def test_its_jobs_were_done_without_an_interruption(executed, folder):
    """Each time, the replica that was taken while two were busy was the idle one."""
    first, second = (each.status() for each in experiments("deployed-", folder / ".lrt"))
    for status in (first, second):
        assert status["state"].tolist() == ["done", "done"]
        assert status["interruptions"].sum() == 0


def test_nothing_warns_and_no_key_shows(executed, folder):
    """The error stream is empty, and the outputs have no secret of the env files."""
    assert complaints(executed) == []
    assert shown_secrets(executed, folder / ".lrt") == []
