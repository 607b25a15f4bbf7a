"""What figures are measured on: an SQS and S3 of the bench's own, and real worker processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lrtkit import queues
from lrtkit.connection import Cloud
from lrtkit.wire import ledger
from lrtkit.wire.record import Record
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings
from lrtkit.wire.sqs import Outgoing, SqsQueue, once
from tests.servers import bare, ministack

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
POLL_S = 0.1
"""What is timed is timed by those who do it: looking for it may be slow, and must take no core from them."""


@dataclass
class Worker:
    """A worker process and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what its log tells under a name."""
        lines = self.log.read_text(errors="replace").split("\n")[:-1]
        told = [json.loads(each) for each in lines if each.startswith("{")]
        return [each for each in told if each["event"] == name]

    def said(self, name: str) -> dict[str, Any]:
        """Wait until its log tells of an event, and return the first."""
        return until(lambda: self.events(name))[0]

    def end(self) -> None:
        """End it at once, and its workload with it."""
        self.process.kill()
        self.process.wait()


@dataclass
class Stage:
    """A cloud with an empty queue pair and bucket, and the workers that were started on it."""

    folder: Path
    env: Mapping[str, str]
    cloud: Cloud
    workers: list[Worker] = field(default_factory=list)

    def send(self, job_id: str, **fields: Any) -> None:
        """Send a job."""
        body = json.dumps({"job_id": job_id, **fields})
        self.cloud.queue.send(Outgoing(body, job_id, once(body, time.monotonic_ns())))

    def worker(self, workload: str, *, env: Mapping[str, str] | None = None, **settings: object) -> Worker:
        """Start a worker; ``lease_seconds=4`` is its LRT_LEASE_SECONDS, and ``env`` goes before all else."""
        wanted = {"workload": f"bench.work:{workload}", "imds_url": "", **settings}
        told = {f"LRT_{name.upper()}": str(value) for name, value in wanted.items()}
        log = self.folder / f"worker-{time.monotonic_ns()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker"],
                cwd=ROOT,
                env={**bare(), **self.env, **told, "BENCH_TRACE": str(self.trace), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(Worker(process, log))
        return self.workers[-1]

    @property
    def trace(self) -> Path:
        """Where workloads leave lines about what they do and when."""
        return self.folder / "trace"

    def traced(self) -> list[list[float]]:
        """Return the numbers of each whole line that workloads have left."""
        lines = self.trace.read_text().split("\n")[:-1] if self.trace.exists() else []
        return [[float(word) for word in each.split()] for each in lines]

    def record(self, job_id: str) -> Record | None:
        """Return a job's record, if there is one."""
        return ledger.read(self.cloud.store, job_id).record

    def ended(self, job_id: str) -> Record:
        """Wait until a job has ended, and return its record."""
        return until(lambda: record if (record := self.record(job_id)) and record.state.final else None)

    def end(self) -> None:
        """End every worker."""
        for worker in self.workers:
            worker.end()


@contextmanager
def opened() -> Iterator[Stage]:
    """Open a stage for a while."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lrt-bench-")))
        url = stack.enter_context(ministack(folder))
        env = _variables(url)
        settings = CloudSettings.from_env(env)
        cloud = Cloud(SqsQueue(settings.queue), S3Store(settings.bucket), settings, "the bench")
        queues.make(cloud)
        stage = Stage(folder, env, cloud)
        stack.callback(stage.end)
        yield stage


def until(condition: Callable[[], T | None]) -> T:
    """Return the first value of a condition that counts as true; raise TimeoutError after two minutes."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {PATIENCE_S} s, but {value!r}")
        time.sleep(POLL_S)
    return value


def _variables(url: str) -> dict[str, str]:
    return {
        "R2_AWS_ACCESS_KEY_ID": "KEYOFR2",
        "R2_AWS_SECRET_ACCESS_KEY": "r2-secret",
        "R2_S3_ENDPOINT_URL": url,
        "R2_BUCKET_NAME": "bench",
        "SQS_AWS_ACCESS_KEY_ID": "KEYOFSQS",
        "SQS_AWS_SECRET_ACCESS_KEY": "sqs-secret",
        "SQS_AWS_REGION": "us-east-1",
        "SQS_QUEUE_URL": f"{url}/000000000000/bench.fifo",
        "SQS_DLQ_URL": f"{url}/000000000000/bench-dead.fifo",
        "AWS_ENDPOINT_URL_SQS": url,
    }
