"""How a worker is set up, when it leaves, and what it tells."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import json\nimport no_such_library\n", r"No module named 'no_such_library' \(train\.py, line 2\)"),
        ("def run(job, checkpoint)\n", r"expected ':' \(train\.py, line 1\)"),
        ("def ran(job, checkpoint): ...\n", "module train has no function run"),
    ],
)
def test_an_image_whose_workload_cannot_be_loaded_takes_no_job(lab: Lab, tmp_path: Path, source: str, why: str) -> None:
    """A library that was forgotten, or a typing error, is told before a job is taken, and costs none a failure."""
    (tmp_path / "train.py").write_text(source)
    lab.send()
    worker = lab.worker("train:run", env={"PYTHONPATH": str(tmp_path)})
    assert worker.left() == 78
    assert re.search(f"'train:run', which cannot be loaded here: {why}. Try: ", worker.log.read_text())
    assert not lab.found()


def test_what_a_module_raises_else_is_for_the_job_to_tell(lab: Lab, tmp_path: Path) -> None:
    """A module that wants what only an attempt has, such as LRT_JOB, is loaded there."""
    source = "import os\njob = os.environ['LRT_JOB']\n\ndef run(*_): return job\n"
    (tmp_path / "train.py").write_text(source)
    lab.send()
    lab.serve("train:run", env={"PYTHONPATH": str(tmp_path)})
    assert lab.result().endswith("job.json")


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
