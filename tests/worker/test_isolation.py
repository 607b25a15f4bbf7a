"""Workloads that behave badly."""

from __future__ import annotations

import signal

from lrtkit.wire.record import State
from tests.waiting import is_alive, until
from tests.worker.lab import LEASE_S, Lab


def test_holding_the_interpreter_does_not_starve_the_heartbeat(lab: Lab) -> None:
    """A workload may keep the GIL for three leases; no other worker gets its job meanwhile."""
    lab.send(seconds=3 * LEASE_S)
    lab.worker("holds_the_gil")
    lab.serve("holds_the_gil")
    assert (lab.result(), lab.record().generation) == ("held", 1)


def test_nothing_that_a_workload_has_started_outlives_its_attempt(lab: Lab) -> None:
    """Neither a child in its process group nor one that has left it; and none is left behind as a zombie."""
    lab.send()
    worker = lab.worker("family")
    lab.is_in(State.DONE)
    lab.drained()
    children = [int(line) for line in lab.traced("children")]
    assert len(children) == 2
    assert not any(is_alive(pid) for pid in children)
    assert worker.process.poll() is None
    assert not worker.children()


def test_a_forked_child_ends_at_a_signal(lab: Lab) -> None:
    """It does not inherit the workload's way with stop signals: a pool would wait for its children for ever."""
    lab.send(patience_s=5)
    lab.serve("forks", grace_seconds=1)
    assert lab.result() == "SIGTERM"


def test_a_thread_that_is_left_holds_no_job(lab: Lab) -> None:
    """It has LRT_GRACE_SECONDS to end after the workload has returned; then the job is done without it."""
    lab.send()
    worker = lab.serve("leaves_a_thread", grace_seconds=1)
    assert (lab.result(), lab.record().counts.attempts) == ("returned", 1)
    assert "endless" in worker.events("output")[-1]["line"]


def test_a_stop_while_a_thread_is_left_keeps_the_result(lab: Lab) -> None:
    """The workload has returned, so that the signal ends it at once and its job is done, not interrupted."""
    lab.send()
    worker = lab.worker("leaves_a_thread", grace_seconds=600)
    until(lambda: list(lab.work_folders.glob("*/result.json")))
    lab.claimed(1)
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0
    assert (lab.record().state, lab.result()) == (State.DONE, "returned")


def test_a_flood_of_output_is_read_and_dropped(lab: Lab) -> None:
    """Hundreds of megabytes neither block the workload nor fill the log, and the lease is kept meanwhile."""
    lab.send(mebibytes=300)
    worker = lab.serve("floods")
    assert (lab.result(), lab.record().generation) == (300, 1)
    assert worker.log.stat().st_size < 2 * 1024 * 1024
    assert worker.events("output-dropped", job_id="job")


def test_a_deaf_workload_is_killed_after_its_grace(lab: Lab) -> None:
    """One that ignores SIGTERM holds up the worker's stop for LRT_GRACE_SECONDS and no longer."""
    lab.send()
    worker = lab.worker("deaf", grace_seconds=1)
    lab.at_step(1)
    workload = worker.workload()
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0
    until(lambda: not is_alive(workload.pid))
    assert (lab.record().attempts[-1].cause, lab.record().counts.failures) == ("sigterm", 0)
    assert lab.cloud.queue.depth().waiting == 1


def test_a_workload_sees_no_key_of_queue_or_bucket(lab: Lab) -> None:
    """Neither by the worker's names nor inside another value; the user's own variables are all there."""
    keys = {
        "R2_AWS_ACCESS_KEY_ID": "R2KEYIDPLANTED",
        "R2_AWS_SECRET_ACCESS_KEY": "r2-secret-planted-0123456789",
        "SQS_AWS_ACCESS_KEY_ID": "SQSKEYIDPLANTED",
        "SQS_AWS_SECRET_ACCESS_KEY": "sqs",
    }
    own = {"MY_TOKEN": "mine", "AWS_DEFAULT_REGION": "also-mine", "MY_MESSAGE": "sqs is a queue"}
    leaks = {"COPY": "sqs", "CONNECTION": f"s3://x:{keys['R2_AWS_SECRET_ACCESS_KEY']}@y"}
    lab.send()
    worker = lab.serve("environment", env={**keys, **own, **leaks})
    seen = lab.result()
    assert own.items() <= seen.items()
    assert not {*keys, *leaks} & seen.keys()
    assert seen["LRT_JOB"].startswith(str(lab.work_folders))
    assert not any(key in worker.log.read_text() for key in keys.values() if key != "sqs")
