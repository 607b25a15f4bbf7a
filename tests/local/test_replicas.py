"""Replicas are real processes, each on a node of its own."""

import asyncio
import json
import sys
from pathlib import Path
from typing import cast

import pytest

from lrtkit import local
from lrtkit.local.salad.group import Group
from lrtkit.local.salad.instance import Instance
from lrtkit.local.salad.node import Node
from lrtkit.local.salad.replicas import Replicas, Site
from lrtkit.local.salad.settings import Settings
from lrtkit.salad import GroupStatus, InstanceState

ENVIRONMENT = "import json, os, time; print(json.dumps(dict(os.environ)), os.getcwd(), flush=True); time.sleep(600)"
IDLE = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def test_a_worker_knows_its_node(deploy, cloud, eventually, monkeypatch):
    """The environment has the group's variables, SaladCloud's own, one thread each, and no key of the submitter."""
    group = deploy(ENVIRONMENT, container={"environment_variables": {"STEP_SECONDS": "1", "MKL_NUM_THREADS": "2"}})
    instance = group.running()[0]
    text = eventually(lambda: group.said(instance))
    environment = json.loads(text[: text.rindex("}") + 1])
    assert text.split()[-1] == str(Path.cwd())
    assert environment["STEP_SECONDS"] == "1"
    assert (environment["OMP_NUM_THREADS"], environment["MKL_NUM_THREADS"]) == ("1", "2")
    assert environment["SALAD_MACHINE_ID"] == instance.machine_id
    assert environment["SALAD_INSTANCE_ID"] == instance.id
    assert environment["SALAD_CONTAINER_GROUP_NAME"] == group.name
    for kind in ("CONTAINER_GROUP", "PROJECT", "ORGANIZATION"):
        assert environment[f"SALAD_{kind}_ID"]
        assert environment[f"SALAD_{kind}_NAME"]
    assert environment["LRT_IMDS_URL"] == cloud.salad_url.replace("/api/public", f"/nodes/{instance.id}")
    assert not [name for name in environment if name.startswith(("R2_", "SQS_", "AWS_", "salad_"))]


def test_a_node_has_a_disk_that_goes_with_it(deploy, cloud, eventually):
    """What a worker leaves among its temporary files is lost with the node."""
    group = deploy("import tempfile, time; print(tempfile.mkstemp()[1], flush=True); time.sleep(600)")
    instance = group.running()[0]
    path = Path(eventually(lambda: group.said(instance)).strip())
    assert path.exists()
    cloud.interrupt("gone", instance.id)
    eventually(lambda: not path.exists())


def test_a_worker_that_is_done_starts_again_on_the_same_node(deploy, eventually):
    """Exit 0 under `always` starts again on the same machine, after a short delay."""
    group = deploy("print('done', flush=True)")
    first = eventually(group.instances)[0]
    eventually(lambda: group.said(first).count("done") >= 2)
    again = group.instances()[0]
    assert (again.id, again.machine_id) == (first.id, first.machine_id)


def test_a_worker_that_is_done_ends_the_group_where_it_may(deploy, eventually):
    """Exit 0 under `on_failure` is the end: the group has succeeded."""
    group = deploy("print('done')", restart_policy="on_failure")
    eventually(lambda: group.read().status is GroupStatus.SUCCEEDED)
    assert group.instances() == []


def test_a_worker_that_fails_moves_to_another_node(deploy, eventually):
    """A non-zero exit blocks the machine for the group and goes on elsewhere, less and less often."""
    group = deploy("print('failed', flush=True); raise SystemExit(3)")
    machines: set[str] = set()

    def has_moved():
        machines.update(instance.machine_id for instance in group.instances())
        return len(machines) >= 3

    eventually(has_moved)
    assert len(group.instances()) == 1
    assert group.instances()[0].state is InstanceState.ALLOCATING


def test_what_a_worker_that_cannot_start_said_is_told(deploy, cloud, eventually):
    """Why nothing runs is read in the group and in the cloud's status, until the group is another."""
    group = deploy("raise SystemExit('there is no module lora')")
    told = eventually(lambda: group.read().description)
    assert told == "the last worker that failed left with 1 and said: there is no module lora"
    assert str(group.read()).endswith(f"replicas running; {told}")
    assert f"In {group.name}, {told}" in local.status(cloud.folder).sentence
    group.patch(container={"command": [sys.executable, "-c", IDLE]})
    assert group.read().description == ""


class Worker:
    """Stands in for a node: it says when its worker starts, and lets it run."""

    def __init__(self):
        self.started = asyncio.Event()

    async def run(self, *_):
        """Run for ever."""
        self.started.set()
        await asyncio.Event().wait()


class Tired:
    """A site on which six workers of the group have failed already, so that the next one would wait for 32 s."""

    def __init__(self):
        self.settings = Settings(startup_s=0)
        self.worker = Worker()
        self.tasks = []

    def new_instance(self, group, **_):
        """Return the instance that waits."""
        return Instance("i", "m", cast("Node", self.worker), group.version, failures=6)

    def environment(self, *_):
        """Return nothing."""
        return {}

    def spawn(self, work):
        """Run in the background."""
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    def exclude(self, *_):
        """Take no note."""

    def bury(self, *_):
        """Take no note."""


def test_a_mended_group_does_not_wait_for_what_was_wrong():
    """However long the next try was put off after failures, what is deployed anew is tried at once."""

    async def story():
        spec = {"name": "g", "autostart_policy": True, "replicas": 1, "container": {"resources": {}}}
        site, group = Tired(), Group(spec)
        group.prepared = True
        replicas = Replicas(group, cast("Site", site))
        replicas.reconcile()
        await asyncio.sleep(0)
        replicas.restart_all()
        await asyncio.wait_for(site.worker.started.wait(), 10)
        for task in site.tasks:
            task.cancel()

    asyncio.run(story())


def test_a_command_that_cannot_start_is_told_in_the_log(deploy, eventually):
    """A program that does not exist is a failure like any other."""
    group = deploy(container={"command": ["/no/such/program"]})
    first = eventually(group.instances)[0]
    eventually(lambda: "cannot start /no/such/program" in group.said(first))


def test_what_a_worker_leaves_behind_ends_with_it(deploy, eventually, alive):
    """As in a container, nothing outlives the main process."""
    script = "import os, subprocess, time; p = subprocess.Popen(['sleep', '600'], start_new_session=True);"
    group = deploy(f"{script} print('pids', os.getpid(), p.pid, flush=True)")
    first = eventually(group.instances)[0]
    pids = group.pids(first)
    eventually(lambda: not any(map(alive, pids)))


def test_scale_in_takes_the_lowest_deletion_cost(deploy, client, eventually):
    """Fewer replicas: those go whose deletion cost is lowest, busy ones stay."""
    group = deploy(IDLE, replicas=3)
    before = group.running(3)
    for cost, instance in zip((50, 7, 90), before, strict=True):
        assert client.set_deletion_cost(group.name, instance.id, cost).deletion_cost == cost
    group.patch(replicas=2)
    assert {instance.id for instance in group.running(2)} == {before[0].id, before[2].id}
    group.patch(replicas=1)
    assert [instance.id for instance in group.running(1)] == [before[2].id]
    group.patch(replicas=0)
    eventually(lambda: not group.instances())


def test_scale_in_asks_before_it_kills(deploy, eventually):
    """A worker that is told to stop has the grace to end by itself."""
    script = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), exit()));"
    group = deploy(f"{script} print('up', flush=True); time.sleep(600)")
    instance = group.running()[0]
    eventually(lambda: "up" in group.said(instance))
    group.patch(replicas=0)
    eventually(lambda: not group.instances())
    assert "saved" in group.said(instance)


def test_scale_in_kills_after_the_grace(deploy, eventually):
    """A worker that will not end is stopping during the grace, and then killed."""
    group = deploy(STUBBORN)
    instance = group.running()[0]
    eventually(lambda: "up" in group.said(instance))
    group.patch(replicas=0)
    assert group.instances()[0].state is InstanceState.STOPPING
    eventually(lambda: not group.instances())


def test_reallocate_moves_to_another_machine(deploy, client, eventually, alive):
    """The instance stops, and another one starts on a machine that is not the excluded one."""
    group = deploy()
    first = group.running()[0]
    pids = group.pids(first)
    client.reallocate(group.name, first.id)
    second = eventually(lambda: [i for i in group.running() if i.id != first.id])[0]
    assert second.machine_id != first.machine_id
    eventually(lambda: not any(map(alive, pids)))


@pytest.mark.parametrize("action", ["recreate", "restart"])
def test_recreate_and_restart_stay_on_the_machine(deploy, cloud, http, eventually, alive, action):
    """The worker starts anew in the same instance on the same machine."""
    group = deploy()
    first = group.running()[0]
    pids = group.pids(first)
    url = cloud.salad_url.replace("/api/public", f"/nodes/{first.id}/v1/{action}")
    assert http.request("POST", url, headers={"Metadata": "true"}).status == 204
    eventually(lambda: group.pids(first) != pids)
    again = group.running()[0]
    assert (again.id, again.machine_id) == (first.id, first.machine_id)
    eventually(lambda: not any(map(alive, pids)))


def test_a_log_does_not_grow_for_ever(deploy, cloud, eventually):
    """A worker that writes without end does not fill the disk."""
    group = deploy("import time\nwhile True:\n print('x' * 200_000, flush=True); time.sleep(0.05)")
    log = cloud.logs / f"{group.running()[0].id}.log"
    largest = eventually(lambda: log.stat().st_size if log.stat().st_size > 4_500_000 else 0)
    eventually(lambda: log.stat().st_size < largest)
