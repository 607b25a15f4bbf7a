"""A workload that does, in one job or the other, whatever a worker makes calls for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lrtkit.wire.workload import Checkpoint, Result
from tests.worker.cases import Job, Steps, wait_at, wait_until_wanted

LARGE = 9 * 1024 * 1024
"""What is uploaded in parts."""


def story(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Save a large file and return one, or fail at first and go on from a checkpoint the next time."""
    if job["kind"] == "fails" and checkpoint:
        return Result(checkpoint.path("file").read_text())
    if job["kind"] == "brief":
        return Result("brief")
    for step in range(1, 4 if job["kind"] == "fails" else 2):
        wait_until_wanted()
        yield Checkpoint({"step": step}, files={"file": _writer(b"small %d" % step)})
    if job["kind"] == "fails":
        wait_until_wanted()
        raise RuntimeError("once")
    wait_at("large")
    return Result("done", files={"artifact": _writer(b"x" * LARGE)})


def environment(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Print and return all that the workload can see."""
    print(dict(os.environ), flush=True)
    yield {"step": 1}
    return dict(os.environ)


def _writer(content: bytes) -> Any:
    return lambda path: Path(path).write_bytes(content)
