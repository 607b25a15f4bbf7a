"""Interruptions hit the whole node, and a replacement comes."""

import psutil
import pytest

from lrtkit.wire.errors import NotFound

TICKING = """
import os, subprocess, time
tick = "import time\\nwhile True:\\n    print('tick', flush=True); time.sleep(0.05)"
workload = subprocess.Popen(["python3", "-c", tick], start_new_session=True)
print("pids", os.getpid(), workload.pid, flush=True)
workload.wait()
"""


def states(pids):
    return {psutil.Process(pid).status() for pid in pids}


def test_a_gone_node_takes_the_workload_along(deploy, cloud, eventually, alive):
    """SIGKILL ends worker and workload at once, and a replacement comes on another machine."""
    group = deploy()
    first = group.running()[0]
    pids = group.pids(first)
    done = cloud.interrupt("gone", first.id)
    assert first.id not in {instance.id for instance in group.instances()}
    eventually(lambda: not any(map(alive, pids)))
    second = group.running()[0]
    assert second.machine_id != first.machine_id
    assert (done["kind"], done["instance_id"], done["machine_id"]) == ("gone", first.id, first.machine_id)


def test_the_kind_of_an_interruption_shows_in_the_log(deploy, cloud):
    """The log has one line for each interruption, in the order in which they came."""
    before = len(cloud.interruptions())
    group = deploy()
    for kind in ("gone", "stop"):
        cloud.interrupt(kind, group.running()[0].id)
    assert [line["kind"] for line in cloud.interruptions()[before:]] == ["gone", "stop"]


def test_a_zombie_stands_still_runs_on_and_ends(deploy, cloud, eventually, alive):
    """SIGSTOP freezes worker and workload; they are not listed any more, go on beside the replacement, and end."""
    group = deploy(TICKING)
    first = group.running()[0]
    pids = group.pids(first)
    cloud.interrupt("zombie", first.id)
    assert states(pids) == {psutil.STATUS_STOPPED}
    assert first.id not in {instance.id for instance in group.instances()}
    frozen = group.said(first)
    second = group.running()[0]
    assert second.machine_id != first.machine_id
    eventually(lambda: len(group.said(first)) > len(frozen))
    assert alive(group.pids(second)[0])
    eventually(lambda: not any(map(alive, pids)))
    assert [instance.id for instance in group.running()] == [second.id]


def test_a_zombie_can_still_ask_its_metadata_service(deploy, cloud, http):
    """A zombie does not learn from its metadata service that it is one."""
    group = deploy()
    first = group.running()[0]
    cloud.interrupt("zombie", first.id)
    url = cloud.salad_url.replace("/api/public", f"/nodes/{first.id}/v1/deletion-cost")
    sent = {"headers": {"Metadata": "true"}, "json": {"deletion_cost": 5}}
    assert http.request("PUT", url, **sent).status == 204


def test_a_stop_takes_the_lowest_deletion_cost_first(deploy, cloud, client, eventually, alive):
    """SIGTERM goes to the replica that is cheapest to lose; a replacement comes."""
    group = deploy(replicas=2)
    dear, cheap = group.running(2)
    client.set_deletion_cost(group.name, dear.id, 10)
    pids = group.pids(cheap)
    assert cloud.interrupt("stop")["instance_id"] == cheap.id
    eventually(lambda: not any(map(alive, pids)))
    assert dear.id in {instance.id for instance in group.running(2)}


def test_interruptions_come_at_a_rate(deploy, cloud, eventually):
    """At a rate above zero interruptions come by themselves, of the kinds that are asked for."""
    before = len(cloud.interruptions())
    deploy(replicas=2).running(2)
    cloud.set(interruptions_per_hour=3600, kinds={"gone": 1})
    new = eventually(lambda: cloud.interruptions()[before:] if len(cloud.interruptions()) > before + 1 else [])
    cloud.set(interruptions_per_hour=0)
    assert {line["kind"] for line in new} == {"gone"}
    assert set(new[0]) == {"at", "kind", "instance_id", "machine_id", "group"}
    assert [line["at"] for line in new] == sorted(line["at"] for line in new)


def test_an_interruption_of_nobody_is_told(cloud):
    """An instance that does not run cannot be interrupted."""
    with pytest.raises(NotFound, match="no running instance nobody"):
        cloud.interrupt("gone", "nobody")
