"""The local SaladCloud's public API: the real one's paths, shapes and refusals."""

import re
from typing import Any

import pytest

from lrtkit.salad import GroupStatus, InstanceState
from lrtkit.wire.errors import BadInput, NotFound
from lrtkit.wire.settings import read_env_file

SPEC: dict[str, Any] = {
    "name": "workers",
    "autostart_policy": False,
    "restart_policy": "always",
    "replicas": 1,
    "container": {"image": "x", "resources": {"cpu": 1, "memory": 1024}},
}
IDLE = "import time; time.sleep(600)"
PRINT = "import os, time; print('colour', os.environ.get('COLOUR'), flush=True); time.sleep(600)"


@pytest.fixture
def call(cloud, http):
    """Make a call as the API sees it; return its status and its JSON."""
    values = read_env_file(cloud.autoscaler_env)
    base = f"{cloud.salad_url}/organizations/{values['salad_org']}"

    def call(method, path, *, body=None, key=values["salad_api_key"], **headers):
        sent = {"Salad-Api-Key": key} if key else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        more = {} if body is None else {"json": body}
        url = base + path.replace("G", f"/projects/{values['salad_project']}/containers")
        answer = http.request(method, url, headers=sent, **more)
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, answer.json() if is_json else answer.data

    return call


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 403), ("ключ".encode(), 403)])
def test_a_wrong_key_is_refused(call, key, status):
    """Without the key, or with another one, the answer is a problem."""
    assert call("GET", "/quotas", key=key)[0] == status


@pytest.mark.parametrize("host", ["example.com", "evil.test:80", "[::1]"])
def test_another_host_name_is_refused(call, http, cloud, host):
    """A web page that has bent its own name to this machine gets nothing, whatever it asks for."""
    status, problem = call("GET", "/quotas", Host=host)
    assert (status, problem["status"]) == (403, 403)
    root = cloud.salad_url.removesuffix("/api/public")
    assert http.request("GET", f"{root}/local/status", headers={"Host": host}).status == 403
    assert http.request("GET", f"{root}/local/status", headers={"Host": "localhost:1"}).status == 200


def test_pythons_own_user_agent_is_refused(call):
    """As the real API does, with a page of HTML."""
    status, page = call("GET", "/quotas", User_Agent="Python-urllib/3.11")
    assert status == 403
    assert b"<html>" in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "G/none", 404), ("POST", "G/none/start", 404), ("GET", "/nothing", 404), ("DELETE", "/quotas", 405)],
)
def test_an_error_is_a_problem(call, method, path, status):
    """Every error has the five fields of the API."""
    answered, problem = call(method, path)
    assert (answered, problem["status"]) == (status, status)
    assert set(problem) == {"type", "title", "status", "detail", "instance"}


def test_a_group_is_read_as_the_api_shows_it(call, deploy, eventually):
    """A group has all the fields of the real one, times with seven digits, and the priority at the top."""
    group = deploy(IDLE, container={"priority": "batch", "environment_variables": {"A": "b"}})
    status, answer = call("GET", f"G/{group.name}")
    assert status == 200
    fields = """id name display_name organization_name project_name container autostart_policy restart_policy replicas
    priority current_state country_codes create_time update_time pending_change version scaling-actions
    scheduled-scaling-enabled"""
    assert set(fields.split()) == set(answer)
    assert answer["priority"] == "batch"
    assert set(answer["container"]) == {"image", "resources", "command", "environment_variables", "logging"}
    state = answer["current_state"]
    assert set(state) == {"status", "description", "start_time", "finish_time", "instance_status_counts"}
    counts = {"allocating_count", "creating_count", "running_count", "stopping_count"}
    assert set(state["instance_status_counts"]) == counts
    for time in (answer["create_time"], answer["update_time"], state["start_time"], state["finish_time"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", time)


def test_an_instance_is_read_as_the_api_shows_it(call, deploy):
    """An instance is listed with 200 and read alone with 202, and has all its fields."""
    group = deploy(IDLE)
    instance = group.running()[0]
    status, listed = call("GET", f"G/{group.name}/instances")
    assert status == 200
    assert call("GET", f"G/{group.name}/instances/{instance.id}") == (202, listed["instances"][0])
    fields = {"id", "machine_id", "state", "update_time", "version", "ready", "started", "deletion_cost"}
    assert set(listed["instances"][0]) == fields
    assert call("GET", f"G/{group.name}/instances/none")[0] == 404


def test_a_group_passes_through_its_states(cloud, deploy, client, eventually):
    """A group is pending, deploying and running; its instance is allocated, created and runs."""
    cloud.set(startup_s=1)
    group = deploy(IDLE)
    seen = [group.read().status]
    states: list[str] = []

    def runs():
        seen.append(group.read().status)
        states.extend(instance.state for instance in group.instances())
        return seen[-1] is GroupStatus.RUNNING

    eventually(runs)
    assert list(dict.fromkeys(seen)) == [GroupStatus.PENDING, GroupStatus.DEPLOYING, GroupStatus.RUNNING]
    assert set(states) <= {InstanceState.ALLOCATING, InstanceState.CREATING, InstanceState.RUNNING}
    assert {InstanceState.ALLOCATING, InstanceState.CREATING} <= set(states)
    cloud.set(startup_s=0.1)


def test_stopped_is_said_while_instances_still_stop(deploy, client, eventually):
    """A group that is told to stop says so at once; its worker has the grace, and then the list is empty."""
    group = deploy(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    )
    instance = group.running()[0]
    eventually(lambda: group.said(instance))
    client.stop_group(group.name)
    read = group.read()
    assert (read.status, read.counts.stopping) == (GroupStatus.STOPPED, 1)
    assert group.instances()[0].state is InstanceState.STOPPING
    eventually(lambda: not group.instances())


def test_a_stopped_group_can_be_scaled_and_started(deploy, client, eventually):
    """Without autostart a group waits, stopped; a change of replicas is taken and counts from the start on."""
    group = deploy(IDLE, autostart_policy=False)
    eventually(lambda: group.read().status is GroupStatus.STOPPED)
    group.patch(replicas=2)
    assert group.instances() == []
    client.start_group(group.name)
    client.start_group(group.name)
    group.running(2)


def test_start_and_stop_answer_without_a_body(call, deploy):
    """POST start, stop and DELETE are accepted with 202."""
    group = deploy(IDLE, autostart_policy=False)
    for method, path in (("POST", "/start"), ("POST", "/stop"), ("DELETE", "")):
        assert call(method, f"G/{group.name}{path}") == (202, b"")


def test_a_deleted_group_is_gone_at_once(deploy, client, alive, eventually):
    """A deleted group is not found any more, its processes end, and its name is free."""
    group = deploy()
    pids = group.pids(group.running()[0])
    client.delete_group(group.name)
    for question in (client.get_group, client.list_instances, client.delete_group):
        with pytest.raises(NotFound):
            question(group.name)
    assert group.name not in [other.name for other in client.list_groups()]
    assert client.create_group({**SPEC, "name": group.name}).name == group.name
    eventually(lambda: not any(map(alive, pids)))
    eventually(lambda: client.get_group(group.name).status is GroupStatus.STOPPED)
    client.delete_group(group.name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Workers"}, "name must match"),
        ({"name": "w"}, "name must match"),
        ({"name": None}, "name is missing"),
        ({"replicas": 501}, "replicas must be"),
        ({"replicas": -1}, "replicas must be"),
        ({"replicas": True}, "replicas must be"),
        ({"restart_policy": "often"}, "restart_policy must be"),
        ({"country_codes": []}, "country_codes must name"),
        ({"container": {"environment_variables": {"A": ""}}}, "environment_variables must"),
        ({"container": {"environment_variables": {"A": "x" * 1001}}}, "environment_variables must"),
        ({"container": {"environment_variables": {"A": 1}}}, "environment_variables must"),
        ({"container": {"command": "python -m worker"}}, "command must"),
        ({"container": {"resources": {"memory": 1}}}, "memory must"),
        ({"container": {"resources": {"storage_amount": 50}}}, "bytes"),
        ({"container": {"resources": {"gpu_classes": ["RTX 4090"]}}}, "gpu-classes"),
        ({"container": {"priority": "urgent"}}, "priority must"),
        ({"container": {"image": None}}, "image is missing"),
        ({"replica": 1}, "replica is no field"),
    ],
)
def test_a_wrong_group_is_refused(client, changes, said):
    """What the real API refuses on creation is refused here, with the field's name."""
    spec: dict[str, Any] = {**SPEC, **changes}
    spec["container"] = {**SPEC["container"], **changes.get("container", {})}
    spec["container"]["resources"] = {**SPEC["container"]["resources"], **spec["container"].get("resources", {})}
    with pytest.raises(BadInput, match=said):
        client.create_group(spec)


def test_all_that_is_wrong_is_told_at_once(client):
    """One refusal names every wrong field."""
    with pytest.raises(BadInput, match=r"name .*; restart_policy .*; replicas "):
        client.create_group({**SPEC, "name": "W", "replicas": 501, "restart_policy": None})


@pytest.mark.parametrize("body", ["[1]", "{", ""])
def test_a_body_that_is_no_object_is_refused(cloud, http, body):
    """A body that is no JSON object is a 400, not a failure of the server."""
    values = read_env_file(cloud.autoscaler_env)
    url = f"{cloud.salad_url}/organizations/{values['salad_org']}/projects/{values['salad_project']}/containers"
    headers = {"Salad-Api-Key": values["salad_api_key"], "Content-Type": "application/json"}
    assert http.request("POST", url, headers=headers, body=body).status == 400


def test_a_name_is_given_once(deploy, client):
    """A second group of the same name is refused."""
    group = deploy(IDLE, autostart_policy=False)
    with pytest.raises(BadInput, match="exists already"):
        client.create_group({**SPEC, "name": group.name})


def test_a_patch_needs_its_content_type(call, deploy):
    """PATCH takes merge patches only."""
    group = deploy(IDLE, autostart_policy=False)
    assert call("PATCH", f"G/{group.name}", body={"replicas": 2}, Content_Type="application/json")[0] == 415
    merge = {"Content_Type": "application/merge-patch+json"}
    assert call("PATCH", f"G/{group.name}", body={"replicas": 2}, **merge)[1]["replicas"] == 2


def test_a_patch_is_merged(deploy):
    """A patch changes what it names, removes what it names as null, and leaves the rest."""
    group = deploy(IDLE, autostart_policy=False, container={"environment_variables": {"A": "1", "B": "2"}})
    changed = group.patch(container={"environment_variables": {"A": None, "C": "3"}, "priority": "low"})
    assert changed.environment == {"B": "2", "C": "3"}
    assert (changed.priority, changed.image) == ("low", "lrtkit/worker:1")


@pytest.mark.parametrize(
    "changes", [{"restart_policy": "never"}, {"autostart_policy": True}, {"name": "other"}, {"replicas": 501}]
)
def test_a_patch_of_what_cannot_change_is_refused(deploy, changes):
    """A refused patch changes nothing."""
    group = deploy(IDLE, autostart_policy=False)
    before = group.read()
    with pytest.raises(BadInput):
        group.patch(**changes)
    assert group.read() == before


def test_a_change_of_environment_restarts_all_replicas(deploy, eventually):
    """Every replica starts anew with the new environment and the new version."""
    group = deploy(PRINT, replicas=2, container={"environment_variables": {"COLOUR": "red"}})
    before = {instance.id for instance in group.running(2)}
    assert group.patch(container={"environment_variables": {"COLOUR": "blue"}}).pending_change
    eventually(lambda: all("colour blue" in group.said(instance) for instance in group.running(2)))
    assert {instance.id for instance in group.instances()} == before
    assert {instance.version for instance in group.instances()} == {2}
    assert not group.read().pending_change


def test_a_change_of_replicas_restarts_none(deploy):
    """The worker that runs goes on while another one joins it."""
    group = deploy()
    first = group.running()[0]
    pids = group.pids(first)
    group.patch(replicas=2)
    assert first in group.running(2)
    assert group.pids(first) == pids


def test_the_quota_counts_every_group(cloud, deploy, client):
    """The replicas of all groups count, running or not, and more than the quota is refused."""
    used = client.quota().replicas_used
    cloud.set(replicas_quota=used + 3)
    group = deploy(IDLE, autostart_policy=False, replicas=2)
    assert client.quota().replicas_used == used + 2
    with pytest.raises(BadInput, match="quota"):
        client.create_group({**SPEC, "replicas": 2})
    with pytest.raises(BadInput, match="quota"):
        group.patch(replicas=4)
    assert group.patch(replicas=3).replicas == 3
    cloud.set(replicas_quota=100)


def test_gpu_classes_have_prices(client, deploy):
    """The classes carry the dated table, and a group can ask for them by id."""
    classes = {gpu_class.name[:8]: gpu_class for gpu_class in client.gpu_classes()}
    assert classes["RTX 4090"].prices == {"high": 0.33, "medium": 0.273, "low": 0.217, "batch": 0.16}
    resources = {"cpu": 1, "memory": 1024, "gpu_classes": [classes["RTX 4090"].id]}
    group = deploy(IDLE, autostart_policy=False, container={"resources": resources})
    assert group.read().gpu_classes == (classes["RTX 4090"].id,)
