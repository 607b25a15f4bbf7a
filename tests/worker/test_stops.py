"""Workers that are asked to stop, vanish, or come back from the dead."""

from __future__ import annotations

import signal

import pytest

from lrtkit.wire.record import State
from tests.waiting import is_alive, until
from tests.worker.lab import Lab


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_loses_no_step(lab: Lab, number: int) -> None:
    """The job is saved and released at once, the worker leaves with 0, and the next one goes on at the same step."""
    lab.send(steps=8, pause_s=0.2)
    first = lab.worker()
    lab.at_step(3)
    first.signal(number)
    assert first.left() == 0
    assert lab.cloud.queue.depth().waiting == 1
    record = lab.record()
    assert (record.state, record.attempts[-1].outcome, record.attempts[-1].cause) == (
        "waiting",
        "interrupted",
        "sigterm",
    )
    assert record.checkpoint
    assert record.checkpoint.step == lab.steps()[-1]
    lab.serve()
    assert lab.steps() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (lab.result(), lab.record().counts.failures) == (36, 0)


def test_a_second_signal_ends_at_once(lab: Lab) -> None:
    """The worker leaves with 0, and a workload that ignores every wish is gone with all that it has started."""
    lab.send()
    worker = lab.worker("deaf", grace_seconds=600)
    lab.at_step(1)
    family = [worker.workload().pid, *map(int, lab.traced("children"))]
    worker.signal(signal.SIGTERM)
    worker.said("halt")
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0
    assert len(family) == 2
    until(lambda: not any(is_alive(pid) for pid in family))


def test_an_idle_worker_leaves_at_once(lab: Lab) -> None:
    """A stop signal that comes during a poll ends it with exit code 0."""
    worker = lab.worker(lease_seconds=80)
    worker.said("started")
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0


def test_a_helper_of_a_generator_is_not_interrupted(lab: Lab) -> None:
    """The stop signal is for the generator alone, which goes on to its next checkpoint with all that it has started."""
    lab.send()
    worker = lab.worker("with_helper")
    lab.at_step(1)
    until(lambda: worker.workload().children())
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0
    assert lab.steps() == [1, 2]
    lab.serve("with_helper")
    assert lab.steps() == [1, 2]
    assert lab.result() == "helped"


def test_a_vanished_node_costs_only_the_work_since_the_last_save(lab: Lab) -> None:
    """The next worker resumes from the last checkpoint saved; the attempt is recorded as node gone, no failure."""
    lab.send(steps=6, save_at=2, gate_after=4)
    worker = lab.worker()
    lab.at_step(4)
    lab.saved()
    worker.vanish()
    lab.open("count")
    lab.serve()
    record = lab.record()
    assert [(each.outcome, each.cause) for each in record.attempts] == [("interrupted", "node gone"), ("done", None)]
    assert record.attempts[1].first_step == 2
    assert lab.steps() == [1, 2, 3, 4, 3, 4, 5, 6]
    assert record.interruptions == {"node gone": 1}
    assert (lab.result(), record.counts.failures) == (21, 0)


@pytest.mark.parametrize("workload", ["tests.worker.cases:stuck", "cmd: sleep 600"])
def test_the_workload_dies_with_its_worker(lab: Lab, workload: str) -> None:
    """Nothing goes on burning a machine whose worker has been killed."""
    lab.send()
    worker = lab.worker(workload)
    lab.is_in(State.RUNNING)
    workload_pid = worker.workload().pid
    worker.process.kill()
    until(lambda: not is_alive(workload_pid))


def test_a_zombie_writes_nothing(lab: Lab) -> None:
    """A worker that was frozen for longer than its lease finds itself fenced; the other's result stands."""
    lab.send(steps=4, save_at=2, gate_after=2)
    zombie = lab.worker()
    lab.at_step(2)
    lab.saved()
    zombie.signal(signal.SIGSTOP)
    until(lambda: lab.cloud.queue.depth().waiting == 1)
    other = lab.worker()
    lab.claimed(2)
    lab.open("count")  # the zombie's workload, which was not frozen, comes to its result first
    other.said("done")
    lab.drained()
    ended, objects = lab.record(), lab.objects("")
    zombie.signal(signal.SIGCONT)
    zombie.said("lease-lost")
    zombie.signal(signal.SIGTERM)
    assert zombie.left() == 0
    assert (lab.record(), lab.objects("")) == (ended, objects)
    assert (ended.state, ended.generation, ended.result) == (State.DONE, 2, 10)
    assert not zombie.events("done")
