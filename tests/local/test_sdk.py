"""The official SDK against the local SaladCloud: it checks every field of every answer."""

from __future__ import annotations

import pytest

from lrtkit.wire.settings import read_env_file
from tests.salad.sdk import (
    ContainerGroupCreationRequest,
    ContainerGroupInstancePatch,
    ContainerGroupPatch,
    ProblemDetails,
    SaladCloudSdk,
)

SPEC = {
    "name": "by-sdk",
    "autostart_policy": False,
    "restart_policy": "always",
    "replicas": 0,
    "container": {
        "image": "lrtkit-worker",
        "resources": {"cpu": 1, "memory": 1024},
        "command": ["sleep", "600"],
        "environment_variables": {"A": "1"},
        "priority": "batch",
    },
}


@pytest.fixture
def sdk(cloud):
    values = read_env_file(cloud.autoscaler_env)
    return SaladCloudSdk(api_key=values["salad_api_key"], base_url=values["salad_base_url"])


def test_the_sdk_takes_every_answer(sdk, eventually):
    """A group's whole life by the SDK: created, set, started, looked at, moved, stopped, deleted."""
    org, name = "lrt-local", "by-sdk"
    place = (org, "default", name)
    groups = sdk.container_groups
    assert groups.create_container_group(ContainerGroupCreationRequest._unmap(SPEC), org, "default").priority == "batch"
    assert groups.update_container_group(ContainerGroupPatch(replicas=2), *place).replicas == 2
    groups.start_container_group(*place)
    eventually(lambda: groups.get_container_group(*place).current_state.status == "running")
    assert name in [each.name for each in groups.list_container_groups(org, "default").items]
    instances = groups.list_container_group_instances(*place).instances
    first = groups.get_container_group_instance(*place, instances[0].id_)
    patch = ContainerGroupInstancePatch(deletion_cost=7)
    assert groups.update_container_group_instance(patch, *place, first.id_).deletion_cost == 7
    groups.reallocate_container_group_instance(*place, first.id_)
    second = eventually(lambda: [each for each in groups.list_container_group_instances(*place).instances
                                 if each.state == "running" and each.id_ != first.id_])[0]  # fmt: skip
    groups.recreate_container_group_instance(*place, second.id_)
    groups.restart_container_group_instance(*place, second.id_)
    groups.stop_container_group(*place)
    groups.delete_container_group(*place)
    assert sdk.quotas.get_quotas(org).container_groups_quotas.container_replicas_quota > 0
    assert sdk.organization_data.list_gpu_classes(org).items[0].prices[0].price == "0.500"


def test_the_sdk_reads_a_refusal(sdk):
    """A refusal is the problem that the API describes, with what was wrong."""
    with pytest.raises(ProblemDetails) as caught:
        sdk.container_groups.get_container_group("lrt-local", "default", "nobody")
    found = caught.value
    assert (found.status, found.title, found.detail) == (404, "Not Found", "There is no container group nobody")


def test_no_call_of_the_sdk_is_left_out(sdk):
    """A call that a later SDK brings is one that the local SaladCloud has to learn."""
    calls = {name for name in dir(sdk.container_groups) if "container_group" in name}
    verbs = ("list", "create", "get", "update", "delete", "start", "stop")
    of_instances = ("get", "update", "reallocate", "recreate", "restart")
    assert {name.replace("groups", "group") for name in calls} == {
        *(f"{verb}_container_group" for verb in verbs),
        "list_container_group_instances",
        *(f"{verb}_container_group_instance" for verb in of_instances),
    }
