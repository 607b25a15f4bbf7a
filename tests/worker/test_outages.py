"""Bucket or queue away for longer than a lease."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from lrtkit.wire.record import State
from tests.waiting import until
from tests.worker.lab import LEASE_S, Lab
from tests.worker.proxy import Line

DEAD_OR_SILENT = pytest.mark.parametrize("silent", [False, True], ids=["dead", "silent"])


@pytest.fixture
def line(server: str) -> Iterator[Line]:
    """A line to the server that can be cut."""
    line = Line(server)
    yield line
    line.close()


def to_bucket(line: Line) -> dict[str, str]:
    """Return what leads a worker's calls to the bucket over the line."""
    return {"R2_S3_ENDPOINT_URL": line.url}


def to_queue(lab: Lab, line: Line) -> dict[str, str]:
    """Return what leads a worker's calls to the queue over the line."""
    server = lab.env["AWS_ENDPOINT_URL_SQS"]
    urls = {name: lab.env[name].replace(server, line.url) for name in ("SQS_QUEUE_URL", "SQS_DLQ_URL")}
    return {**urls, "AWS_ENDPOINT_URL_SQS": line.url}


def outlast_a_lease() -> None:
    """Wait until any lease would have run out that has not been extended since now."""
    over = time.monotonic() + LEASE_S + 1
    until(lambda: time.monotonic() > over)


def test_a_job_runs_on_while_the_bucket_is_away(lab: Lab, line: Line) -> None:
    """The lease is kept, nothing counts as a failure, and the result is committed when the bucket is back."""
    lab.send(steps=6, save_at=2, gate_after=2)
    lab.worker(env=to_bucket(line))
    lab.saved()
    line.cut()
    lab.open("count")
    lab.at_step(6)
    outlast_a_lease()
    line.mend()
    record = lab.is_in(State.DONE)
    assert (record.generation, record.counts.failures, record.counts.interruptions) == (1, 0, 0)
    assert (lab.steps(), record.result) == ([1, 2, 3, 4, 5, 6], 21)
    lab.drained()
    assert lab.result() == 21


def test_a_job_taken_while_the_bucket_is_away_waits_for_it(lab: Lab, line: Line) -> None:
    """The worker holds the one that it has and takes no other; neither pays for it."""
    line.cut()
    lab.send("first", steps=1)
    worker = lab.worker(env=to_bucket(line))
    worker.said("waiting")
    lab.send("second", steps=1)
    outlast_a_lease()
    depth = lab.cloud.queue.depth()
    assert (depth.in_flight, depth.waiting) == (1, 1)
    line.mend()
    lab.drained()
    for job_id in ("first", "second"):
        record = lab.record(job_id)
        assert (record.state, record.generation, record.counts.failures) == (State.DONE, 1, 0)
    assert lab.no_letters()


@DEAD_OR_SILENT
def test_a_stop_signal_does_not_wait_for_the_bucket(lab: Lab, line: Line, silent: bool) -> None:
    """The job is given back with what was saved before, and the worker leaves with 0."""
    lab.send(steps=3, save_at=2, gate_after=2)
    worker = lab.worker(env=to_bucket(line), grace_seconds=1)
    lab.saved()
    line.cut(silent=silent)
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0
    assert worker.events("stopped")
    lab.open("count")
    lab.serve()
    record = lab.record()
    assert (record.state, record.result, record.attempts[-1].first_step, record.counts.failures) == ("done", 6, 2, 0)


@DEAD_OR_SILENT
def test_a_worker_without_its_queue_fences_itself(lab: Lab, line: Line, silent: bool) -> None:
    """It stops before its lease can have run out and writes nothing more; another worker finishes the job."""
    lab.send(steps=3, save_at=2, gate_after=2)
    cut_off = lab.worker(env=to_queue(lab, line), grace_seconds=1)
    before = lab.saved()
    workload = cut_off.workload()
    line.cut(silent=silent)
    cut_off.said("lease-lost")
    assert not workload.is_running()
    assert lab.record() == before
    lab.open("count")
    lab.serve()
    ended = lab.record()
    line.mend()
    lab.send("next", steps=1)
    cut_off.said("done", job_id="next")
    assert lab.record() == ended
    assert [(each.outcome, each.cause) for each in ended.attempts] == [("interrupted", "node gone"), ("done", None)]
    assert (ended.result, ended.counts.failures) == (6, 0)


def test_an_idle_worker_waits_for_its_queue(lab: Lab, line: Line) -> None:
    """It asks again and again, and serves the first job that comes when the queue is back."""
    line.cut()
    worker = lab.worker(env=to_queue(lab, line))
    worker.said("trouble")
    lab.send(steps=1)
    line.mend()
    lab.is_in(State.DONE)
