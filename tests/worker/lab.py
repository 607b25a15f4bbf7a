"""A cloud with real workers on it, as a test sees them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import psutil

from lrtkit.connection import Cloud
from lrtkit.wire import keys, ledger
from lrtkit.wire.clock import iso
from lrtkit.wire.job import fingerprint
from lrtkit.wire.record import Failure, Holder, Record, State
from lrtkit.wire.sqs import Outgoing, once
from tests.waiting import until

T = TypeVar("T")

NOW = "2026-11-01T00:00:00.000Z"
LEASE_S = 4
PATIENCE_S = 60
ROOT = Path(__file__).parents[2]


def claimed(**fields: Any) -> Record:
    """Return the record of a job of these fields that somebody else has begun."""
    somebody = Holder("somebody", "elsewhere")
    return Record(State.WAITING).claimed(somebody, fingerprint=fingerprint(fields), steps=None, now=NOW)


@dataclass(frozen=True)
class Letter:
    """A dead letter."""

    body: str
    attributes: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why it is dead."""
        return self.attributes["reason"]


@dataclass
class Started:
    """A worker at work in a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def events(self, name: str | None = None, **facts: Any) -> list[dict[str, Any]]:
        """Return the lines of its log that tell of an event with these facts."""
        lines = self.log.read_text(errors="replace").split("\n")[:-1]
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [each for each in told if name in {None, each["event"]} and facts.items() <= each.items()]

    def said(self, name: str, **facts: Any) -> dict[str, Any]:
        """Wait until it tells of an event, and return the first."""
        return until(lambda: self.events(name, **facts))[0]

    def signal(self, number: int) -> None:
        """Send it a signal, and nobody else."""
        self.process.send_signal(number)

    def left(self) -> int:
        """Wait for its end and return its exit code."""
        return self.process.wait(PATIENCE_S)

    def children(self) -> list[psutil.Process]:
        """Return the processes whose parent it is, ended ones that it has not taken note of included."""
        return list(psutil.Process(self.pid).children())

    def workload(self) -> psutil.Process:
        """Wait for the process of its workload and return it."""
        return until(self.children)[0]

    def vanish(self) -> None:
        """Let the whole node vanish: worker, workload and all that they started."""
        family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # a workload dies with its worker anyway
                each.kill()
        self.process.wait()


@dataclass
class Lab:
    """Sends jobs, starts workers, and looks at what becomes of them."""

    cloud: Cloud
    env: Mapping[str, str]
    folder: Path
    workers: list[Started] = field(default_factory=list)
    _letters: list[Letter] = field(default_factory=list)

    def send(self, job_id: str = "job", **fields: Any) -> str:
        """Send a job, and return its id."""
        return self.send_body(json.dumps({"job_id": job_id, **fields}), group=job_id)

    def send_body(self, body: str, *, group: str = "odd") -> str:
        """Send a message with this body, whatever it is, and return its group."""
        self.cloud.queue.send(Outgoing(body, group, once(body, time.monotonic_ns())))
        return group

    def worker(self, workload: str = "count", *, env: Mapping[str, str] | None = None, **settings: object) -> Started:
        """Start a worker; ``grace_seconds=1`` is its LRT_GRACE_SECONDS, and ``env`` whatever else it is to know."""
        if ":" not in workload:
            workload = f"tests.worker.cases:{workload}"
        wanted = {"workload": workload, "lease_seconds": LEASE_S, "checkpoint_seconds": 0, "imds_url": "", **settings}
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker"],
                cwd=ROOT,
                env={
                    **os.environ,
                    **self.env,
                    **{f"LRT_{name.upper()}": str(value) for name, value in wanted.items()},
                    "PYTHONUNBUFFERED": "",
                    "TRACES": str(self.folder),
                    "TMPDIR": str(self.work_folders),
                    **(env or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started = Started(process, log)
        self.workers.append(started)
        return started

    def serve(self, workload: str = "count", **settings: Any) -> Started:
        """Let one worker work until nothing is left to do, and end it without ceremony."""
        worker = self.worker(workload, **settings)
        self.drained()
        worker.vanish()
        return worker

    @property
    def work_folders(self) -> Path:
        """The folder of the workers' temporary folders."""
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def record(self, job_id: str = "job") -> Record:
        """Return a job's record, of which there must be one."""
        record = self.found(job_id)
        assert record, f"{job_id} has no record"
        return record

    def found(self, job_id: str = "job") -> Record | None:
        """Return a job's record, if there is one."""
        return ledger.read(self.cloud.store, job_id).record

    def seen(self, condition: Callable[[Record], Any], job_id: str = "job") -> Record:
        """Wait until a job has a record for which the condition holds, and return it."""

        def look() -> Record | None:
            record = self.found(job_id)
            return record if record and condition(record) else None

        record = until(look)
        assert record
        return record

    def saved(self, step: int | None = None, job_id: str = "job") -> Record:
        """Wait until a job has a checkpoint, or the one of a step, and return its record."""
        return self.seen(lambda record: record.checkpoint and step in {None, record.checkpoint.step}, job_id)

    def claimed(self, generation: int, job_id: str = "job") -> Record:
        """Wait until a job has come to a generation, and return its record."""
        return self.seen(lambda record: record.generation == generation, job_id)

    def is_in(self, state: State, job_id: str = "job") -> Record:
        """Wait until a job is in a state, and return its record."""
        return self.seen(lambda record: record.state is state, job_id)

    def change(self, change: Callable[[Record], Record], job_id: str = "job") -> None:
        """Change a job's record, as somebody beside the worker may."""
        entry = ledger.read(self.cloud.store, job_id)
        ledger.swap(self.cloud.store, job_id, entry, change(entry.record or Record(State.WAITING)))

    def cancel(self, job_id: str = "job") -> None:
        """Ask for a job's end."""
        self.change(lambda record: record.cancel_requested(now=iso(time.time())), job_id)

    def result(self, job_id: str = "job") -> Any:
        """Return what lies in a job's result.txt, which must be there."""
        item = self.cloud.store.get(keys.result(job_id))
        assert item, f"{job_id} has no result.txt"
        return json.loads(item.body)

    def objects(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, without it."""
        return [found.key.removeprefix(prefix) for found in self.cloud.store.listed(prefix)]

    def drained(self) -> None:
        """Wait until no message is in the queue."""
        until(lambda: (depth := self.cloud.queue.depth()).waiting + depth.in_flight + depth.delayed == 0)

    def letters(self, count: int) -> list[Letter]:
        """Wait for so many dead letters, in any order, and return them."""
        client = boto3.client(
            "sqs",
            endpoint_url=self.env["AWS_ENDPOINT_URL_SQS"],
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )

        def come() -> bool:
            answer = client.receive_message(
                QueueUrl=self.cloud.queue.dead_letter_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=600,
                MessageAttributeNames=["All"],
            )
            for each in answer.get("Messages", []):
                attributes = each.get("MessageAttributes", {})
                told = {name: value["StringValue"] for name, value in attributes.items()}
                self._letters.append(Letter(each["Body"], told))
            return len(self._letters) >= count

        until(come)
        client.close()
        assert len(self._letters) == count, self._letters
        return self._letters

    def no_letters(self) -> bool:
        """Tell whether nothing has been set aside."""
        return self.cloud.queue.depth().dead == 0

    def traced(self, name: str = "job") -> list[str]:
        """Return the lines that a workload has left under a name."""
        path = self.folder / (name.replace("/", "+") + ".trace")
        return path.read_text().splitlines() if path.exists() else []

    def steps(self, job_id: str = "job") -> list[int]:
        """Return the steps of a job that were done, in the order in which they were."""
        return [int(line) for line in self.traced(job_id)]

    def at_step(self, step: int, job_id: str = "job") -> None:
        """Wait until a job has done a step."""
        until(lambda: step in self.steps(job_id))

    def open(self, gate: str) -> None:
        """Let the workloads that wait at a gate go on."""
        (self.folder / f"{gate}.gate").touch()

    def error(self, job_id: str = "job") -> Failure:
        """Return a job's last failure, of which there must have been one."""
        failure = self.record(job_id).error
        assert failure, f"{job_id} has not failed"
        return failure

    def end(self) -> None:
        """End every process that is still there, workloads of vanished workers included."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        mark = f"LRT_JOB={self.folder}"
        for process in psutil.process_iter():
            try:
                if mark in "\0".join(f"{name}={value}" for name, value in process.environ().items()):
                    process.kill()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # it has ended, or is somebody else's
