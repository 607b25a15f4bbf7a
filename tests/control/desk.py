"""An experiment whose jobs stand where a test wants them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.wire import keys, ledger
from lrtkit.wire.job import Job, parse
from lrtkit.wire.record import Cause, Failure, Holder, Record, Saved, State
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import Message

ROOT = Path(__file__).parents[2]
NOW = "2026-11-24T10:00:00.000Z"
FAILURE = Failure("ValueError", "the box is too small", "Traceback …")

CHANGES: dict[str, Callable[[Record], Record]] = {
    "running": lambda record: record,
    "interrupted": lambda record: record.interrupted(Cause.STOPPED, now=NOW),
    "done": lambda record: record.done(1, {}, now=NOW),
    "failed": lambda record: record.failed(FAILURE, final=True, now=NOW),
    "cancelled": lambda record: record.cancelled(now=NOW),
}


@dataclass
class Desk:
    """An experiment, and what workers and other researchers do to its jobs meanwhile."""

    cloud: Cloud
    experiment: Experiment

    def submit(self, *names: str) -> None:
        """Submit jobs of these names."""
        self.experiment.submit([job(name).fields for name in names])

    def put(self, name: str, state: str) -> Record:
        """Leave the record of a worker that has taken the job to this state."""
        made = job(name)
        record = Record(State.WAITING).claimed(
            Holder("w", "m"), fingerprint=made.fingerprint, steps=made.steps, now=NOW
        )
        record = CHANGES[state](record.saved(Saved({"step": 4}, saved_at=NOW), now=NOW))
        self.cloud.store.put(keys.record(f"exp/{name}"), record.to_bytes())
        return record

    def record(self, name: str) -> Record:
        """Return the record of a job."""
        found = ledger.read(self.cloud.store, f"exp/{name}").record
        assert found is not None
        return found

    def state(self, name: str) -> str:
        """Return where a job stands."""
        return str(self.experiment.status()["state"][f"exp/{name}"])

    def messages(self) -> list[Message]:
        """Take every message that is there to be taken from the queue."""
        found: list[Message] = []
        while message := self.cloud.queue.receive(lease_s=30, wait_s=0, attempt_id=f"take-{len(found)}"):
            found.append(message)
        return found

    def serve(self, env: Mapping[str, str]) -> set[str]:
        """Let a real worker serve all messages, and return the events that it tells of."""
        settings = {"LRT_IDLE_EXIT_SECONDS": "1", "LRT_LEASE_SECONDS": "8", "LRT_IMDS_URL": "", "STEP_SECONDS": "0"}
        run = [sys.executable, "-m", "worker"]
        everything = {**os.environ, **env, **settings}
        worker = subprocess.run(run, cwd=ROOT, env=everything, capture_output=True, text=True, timeout=60, check=True)
        return {json.loads(line)["event"] for line in worker.stdout.splitlines() + worker.stderr.splitlines()}

    def beside(self, **steps: Callable[[], object]) -> Experiment:
        """Return the experiment as seen by a researcher between whose steps others act once, before a call by name."""
        return Experiment("exp", replace(self.cloud, store=Interleaved(self.cloud, steps)))


class Interleaved(S3Store):
    """A bucket in which somebody else's step comes before the first call of a name."""

    def __init__(self, cloud: Cloud, steps: dict[str, Callable[[], object]]) -> None:
        super().__init__(cloud.settings.bucket)
        self._steps = steps

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Let the other one act, then swap."""
        self._steps.pop("swap", lambda: None)()
        return super().swap(key, body, etag)


def job(name: str, **fields: Any) -> Job:
    """Return the job of a name."""
    return parse(Job({"job_id": f"exp/{name}", "steps": 10, **fields}).body)
