"""The client against answers with every published field, and those answers against the official SDK."""

from __future__ import annotations

import pytest

from lrtkit.salad import Group, GroupStatus, InstanceState
from lrtkit.wire.errors import Denied, NotFound
from tests.salad.published import GPU_CLASS, KEY, Published
from tests.salad.sdk import SaladCloudSdk


def test_every_answer_is_read(published: Published):
    """Each call of the client takes the full answer for what it says."""
    published.runs(3, busy=2)
    client = published.client()
    group = client.get_group("workers")
    assert (group.status, group.replicas, group.priority, group.gpu_classes) == (
        GroupStatus.RUNNING, 3, "batch", (GPU_CLASS["id"],),
    )  # fmt: skip
    assert [each.name for each in client.list_groups()] == ["workers"]
    assert [each.deletion_cost for each in client.list_instances("workers")] == [1, 1, 0]
    assert client.list_instances("workers")[0].state is InstanceState.RUNNING
    assert client.set_deletion_cost("workers", "instance-2", 7).deletion_cost == 7
    assert (client.quota().replicas, client.quota().replicas_used) == (100, 40)
    assert client.usd_per_hour(group) == 0.16
    client.reallocate("workers", "instance-2")
    assert len(client.list_instances("workers")) == 2
    assert isinstance(client.create_group({"name": "workers"}), Group)
    client.start_group("workers")
    client.stop_group("workers")
    client.delete_group("workers")


def test_the_server_is_what_the_sdk_expects(published: Published):
    """The official SDK, which checks every field, takes the answers that the client is tested with."""
    published.runs(2)
    sdk = SaladCloudSdk(api_key=KEY, base_url=f"{published.url}/api/public")
    assert sdk.container_groups.get_container_group("acme", "demo", "workers").replicas == 2
    assert len(sdk.container_groups.list_container_groups("acme", "demo").items) == 1
    assert len(sdk.container_groups.list_container_group_instances("acme", "demo", "workers").instances) == 2
    assert sdk.quotas.get_quotas("acme").container_groups_quotas.container_replicas_quota == 100
    assert sdk.organization_data.list_gpu_classes("acme").items[0].name == GPU_CLASS["name"]


@pytest.mark.parametrize(
    ("place", "error", "words"),
    [
        ({"api_key": "wrong"}, Denied, r"403 Forbidden: no JSON but text/html. Try: check salad_api_key"),
        ({"organization": "nobody"}, NotFound, "no such organization.*Try: deploy it, or mend salad_org"),
        ({"project": "nothing"}, NotFound, "no such organization or project.*Try: deploy it, or mend salad_org"),
    ],
)
def test_a_wrong_name_or_key_is_a_clear_sentence(published: Published, place, error, words):
    """Key, organization and project that SaladCloud does not know are told with what to check."""
    client = published.client()
    for name, value in place.items():
        object.__setattr__(client.settings, name, value)
    with pytest.raises(error, match=words):
        client.get_group("workers")
