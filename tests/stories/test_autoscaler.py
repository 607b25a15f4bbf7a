"""The autoscaler on a local SaladCloud with real workers."""

from __future__ import annotations

import threading

import pytest

from lrtkit import Experiment
from lrtkit.autoscaler import Autoscaler, run
from lrtkit.salad import GroupStatus, Workers, deploy
from lrtkit.scaling import Action, Policy
from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import read_env_file
from tests.stories.conftest import SETTINGS

JOBS = [{"name": str(number), "steps": 20} for number in range(6)]


def test_it_scales_up_for_jobs_and_to_zero_after_them(connected, scaler, until):
    """Jobs bring replicas up to the maximum; when all are done the group is stopped and no instance is left."""
    exp = Experiment("up-and-down", connected)
    exp.submit(JOBS)
    assert scaler.step().decision.replicas == 3
    exp.wait(120, every_s=0.5)
    assert scaler.wind_down(every_s=1).decision.action is Action.STOP
    until(lambda: not scaler.salad.list_instances(scaler.group), within_s=60)
    assert scaler.salad.get_group(scaler.group).status is GroupStatus.STOPPED


def test_two_at_once_do_it_as_well(here, connected, scaler, until):
    """A function and a notebook that step side by side all the time interrupt no job, and reach zero all the same."""
    exp = Experiment("two-at-once", connected)
    exp.submit(JOBS[:3])
    said: list[str] = []
    stopped = threading.Event()
    scalers = [scaler, Autoscaler.from_env_file(here.autoscaler_env, policy=scaler.policy)]
    threads = [
        threading.Thread(target=run, args=(each,), kwargs={"every_s": 0.2, "stopped": stopped, "say": said.append})
        for each in scalers
    ]
    for thread in threads:
        thread.start()
    try:
        exp.wait(120, every_s=0.5)
        until(lambda: scaler.salad.get_group(scaler.group).status is GroupStatus.STOPPED)
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    status = exp.status()
    assert status["state"].eq("done").all()
    assert status["interruptions"].sum() == 0
    assert not [line for line in said if "failed" in line]
    assert len(said) == len(scaler.history())


def test_a_dry_run_changes_nothing_but_is_kept(connected, scaler, until):
    """A dry run decides and writes down what it would do, and leaves the group as it was."""
    Experiment("dry", connected).submit(JOBS)
    until(lambda: scaler.salad.get_group(scaler.group).status is GroupStatus.STOPPED)  # its image has been fetched
    before = scaler.salad.get_group(scaler.group)
    step = scaler.step(dry_run=True)
    assert step.decision.action is Action.START
    assert str(step).endswith("(dry run).")
    assert scaler.salad.get_group(scaler.group) == before
    assert [kept["decision"]["action"] for kept in scaler.history()] == ["start"]


def test_its_history_is_there_for_the_next_person(here, connected, scaler):
    """Steps are kept in the bucket in their order, and another autoscaler of the same queue reads them."""
    scaler.step(now=lambda: 1_000.0)
    scaler.step(now=lambda: 2_000.0)
    other = Autoscaler.from_env_file(here.autoscaler_env)
    assert [kept["at"] for kept in other.history()] == ["1970-01-01T00:16:40.000Z", "1970-01-01T00:33:20.000Z"]


def test_busy_replicas_outlive_the_idle_ones(here, connected, until):
    """Thirty busy jobs drain from thirty replicas to five, and no machine is taken from a job (invariant 9)."""
    scaler = Autoscaler.from_env_file(here.autoscaler_env, policy=Policy(max_replicas=30, cool_down_s=0))
    settings = {**SETTINGS, "LRT_LEASE_SECONDS": "30"}
    deploy(scaler.salad, Workers(scaler.group, "lrtkit-worker", here.worker_env, settings))
    exp = Experiment("drain", connected)
    ids = exp.submit([{"name": str(number), "steps": 6000} for number in range(30)]).index
    scaler.step()
    until(lambda: scaler.look().at_work == 30, within_s=180)
    for ended, left in ((ids[:15], 15), (ids[15:25], 5)):
        exp.cancel(ended)
        until(lambda left=left: scaler.step().decision.replicas == left == scaler.look().replicas, within_s=120)
    until(lambda: len(scaler.salad.list_instances(scaler.group)) == 5)
    status = exp.status()
    assert status["state"].value_counts().to_dict() == {"cancelled": 25, "running": 5}
    assert status["interruptions"].sum() == 0
    exp.cancel(ids)


def test_a_group_that_nobody_described_is_named(here, connected, scaler):
    """A missing group is a sentence with the call that failed and what to check."""
    env = {**read_env_file(here.autoscaler_env), "salad_container_group_name": "nobody"}
    with pytest.raises(Exception, match=r"containers/nobody.*404.*Try: deploy it"):
        Autoscaler.from_env(env).step()


def test_a_missing_variable_is_named(here):
    """Without the group's name there is no autoscaler."""
    env = {name: value for name, value in read_env_file(here.autoscaler_env).items() if "group_name" not in name}
    with pytest.raises(BadInput, match="salad_container_group_name"):
        Autoscaler.from_env(env)


def test_describing_the_workers_again_changes_nothing(here, scaler):
    """The same description is no new version of the group; other settings are."""
    same = Workers(scaler.group, "lrtkit-worker", here.worker_env, {"LRT_LEASE_SECONDS": "9"})
    changed = deploy(scaler.salad, same)
    assert deploy(scaler.salad, same).version == changed.version
    assert changed.environment["LRT_LEASE_SECONDS"] == "9"
