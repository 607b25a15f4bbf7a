"""A container group from a small description, on the local SaladCloud."""

from __future__ import annotations

import pytest

from lrtkit.salad import Workers
from lrtkit.salad import deploy as deploy_workers
from lrtkit.wire.errors import BadInput, NotFound


@pytest.fixture
def described(cloud, client):
    """``described(gpu_classes=…)`` describes workers of a group of the test's own, which is deleted afterwards."""

    def describe(**changes) -> Workers:
        return Workers("described", "lrtkit-worker", cloud.worker_env, **{"settings": {"STEP_SECONDS": "1"}, **changes})

    yield describe
    try:
        client.delete_group("described")
    except NotFound:
        return


def test_gpu_classes_are_given_by_name(client, described):
    """A name, the only beginning that fits, or an id: the group has the ids, and costs what they cost."""
    ids = {each.name: each.id for each in client.gpu_classes()}
    whole, begun = "RTX 4090 (24 GB)", "rtx 3090"
    made = deploy_workers(client, described(gpu_classes=[whole, begun, ids["RTX 4070 (12 GB)"]], priority="low"))
    assert made.gpu_classes == (ids[whole], ids["RTX 3090 (24 GB)"], ids["RTX 4070 (12 GB)"])
    assert client.usd_per_hour(made) == 0.217


@pytest.mark.parametrize("name", ["RTX 9999", "RTX"])
def test_a_name_that_fits_none_or_many_is_refused(client, described, name):
    """What is offered is told, and no group is made."""
    with pytest.raises(BadInput, match=r"GPU classes are called 'RTX.*Try: one of RTX 3090 \(24 GB\), RTX 4070"):
        deploy_workers(client, described(gpu_classes=[name]))
    with pytest.raises(NotFound):
        client.get_group("described")


def test_what_is_gone_from_the_description_is_gone_from_the_group(client, described):
    """A variable and a GPU class that are no longer asked for are taken away, and then nothing differs any more."""
    deploy_workers(client, described(settings={"A": "1", "B": "2"}, gpu_classes=["RTX 4090"]))
    changed = deploy_workers(client, described(settings={"A": "1"}))
    assert "B" not in changed.environment
    assert changed.gpu_classes == ()
    again = deploy_workers(client, described(settings={"A": "1"}))
    assert again.version == changed.version


def test_a_larger_disk_arrives(client, described):
    """A disk is asked for in GB and counts as a difference; where none is asked for, the one that there is stays."""
    deploy_workers(client, described())
    assert deploy_workers(client, described(disk_gb=40)).disk_bytes == 40 * 2**30
    again = deploy_workers(client, described(disk_gb=50))
    assert again.disk_bytes == 50 * 2**30
    assert deploy_workers(client, described()).disk_bytes == again.disk_bytes


def test_another_priority_arrives(client, described):
    """The priority is written under the container and read at the top, and counts as a difference."""
    deploy_workers(client, described())
    assert deploy_workers(client, described(priority="high")).priority == "high"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cpu": 0}, "container.resources.cpu must be a whole number from 1"),
        ({"disk_gb": 0}, "container.resources.storage_amount must be a whole number of bytes from 1073741824"),
        ({"memory_mb": 10}, "container.resources.memory must be a whole number of MB from 1024"),
        ({"priority": "urgent"}, "container.priority must be one of high, medium, low, batch"),
        ({"settings": {"LONG": "x" * 1001}}, "texts of 1 to 1000 characters"),
    ],
)
def test_what_saladcloud_refuses_is_told(client, described, changes, words):
    """The API's own words arrive with the call that they belong to."""
    with pytest.raises(BadInput, match=rf"POST .*containers.*400.*{words}"):
        deploy_workers(client, described(**changes))


def test_replicas_over_the_quota_and_over_the_limit_are_told(client, described):
    """A number that the organization may not have, and one that nobody may."""
    deploy_workers(client, described())
    with pytest.raises(BadInput, match="The quota is 100 replicas"):
        client.patch_group("described", {"replicas": 101})
    with pytest.raises(BadInput, match="replicas must be a whole number from 0 to 500"):
        client.patch_group("described", {"replicas": 501})
    assert client.get_group("described").replicas == 0
