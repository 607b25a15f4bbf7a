"""How a worker is set up, when it leaves, and what it tells."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lrtkit.wire.record import State
from tests.worker.lab import ROOT, Lab


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Missing variables and wrong settings end the worker with 78 and one line that names each."""
    finished = subprocess.run(
        [sys.executable, "-m", "worker"],
        cwd=ROOT,
        env={**os.environ, "LRT_LEASE_SECONDS": "soon", "LRT_MAX_FAILURES": "0", "R2_BUCKET_NAME": "there"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (78, "")
    assert len(finished.stderr.splitlines()) == 1
    missing = ["SQS_QUEUE_URL", "SQS_DLQ_URL", "SQS_AWS_REGION", "SQS_AWS_ACCESS_KEY_ID", "SQS_AWS_SECRET_ACCESS_KEY"]
    missing += ["R2_S3_ENDPOINT_URL", "R2_AWS_ACCESS_KEY_ID", "R2_AWS_SECRET_ACCESS_KEY"]
    for name in missing:
        assert f"{name} is missing (" in finished.stderr
    assert "LRT_LEASE_SECONDS is 'soon' but must be seconds between 1 and 43200" in finished.stderr
    assert "LRT_MAX_FAILURES is '0' but must be a whole number of at least 1" in finished.stderr
    assert "R2_BUCKET_NAME" not in finished.stderr


@pytest.mark.parametrize(
    ("workload", "lacking"),
    [
        ("no_such_package.train:run", "module no_such_package"),
        ("cmd: no-such-program --fast", "program no-such-program"),
    ],
)
def test_an_image_without_its_workload_takes_no_job(lab: Lab, workload: str, lacking: str) -> None:
    """A worker that could only fail every job leaves with 78 and says what it lacks; the job waits, unharmed."""
    lab.send(steps=1)
    worker = lab.worker(workload)
    assert worker.left() == 78
    assert f"LRT_WORKLOAD names the {lacking}, which is not here" in worker.log.read_text()
    lab.serve()
    assert lab.record().state is State.DONE
    assert lab.record().counts.failures == 0


def test_an_idle_worker_leaves_when_told_so(lab: Lab) -> None:
    """After LRT_IDLE_EXIT_SECONDS without a job, counted from its last one, it ends with 0."""
    lab.send(steps=4, pause_s=0.5)
    worker = lab.worker(idle_exit_seconds=1)
    assert worker.left() == 0
    assert lab.record().state is State.DONE
    assert [event["event"] for event in worker.events()][-1] == "stopped"


def test_the_log_is_one_object_a_line(lab: Lab) -> None:
    """Each says when, what, which worker on which machine; those about an attempt which job and generation too."""
    lab.send(steps=1)
    worker = lab.serve(env={"SALAD_MACHINE_ID": "machine-1", "SALAD_INSTANCE_ID": "instance-1"})
    lines = worker.log.read_text().splitlines()
    told = worker.events()
    assert len(told) == len(lines)
    for each in told:
        assert (each["machine"], each["worker"]) == ("machine-1", f"instance-1-{worker.pid}")
        assert each["at"].endswith("Z")
    assert [each["event"] for each in told if each.get("job_id") == "job"] == ["claimed", "done"]
    assert [each["event"] for each in told if each.get("generation") == 1] == ["claimed", "done"]


def test_output_of_a_workload_carries_its_job(lab: Lab) -> None:
    """Each line that it prints comes with job_id and generation, also where it is no JSON and no UTF-8."""
    lab.send()
    worker = lab.serve("cmd: sh -c 'printf \"one\\n\\377two\"; echo 1 >$LRT_RESULT'")
    lines = [each["line"] for each in worker.events("output", job_id="job", generation=1)]
    assert lines == ["one", "\ufffdtwo"]
