"""Workloads that the figures are measured with; each runs in a bare process as it does under the worker."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from lrtkit.wire.workload import Checkpoint

Job = dict[str, Any]
Steps = Generator[dict[str, Any], None, int]

TICK_S = 0.02
BLOCK = bytes(200_000)


def trace(*numbers: float) -> None:
    """Leave a line of numbers for the bench."""
    with Path(os.environ["BENCH_TRACE"]).open("a") as file:
        file.write(" ".join(map(repr, numbers)) + "\n")


def churn(job: Job, checkpoint: dict[str, Any] | None) -> Steps:
    """Keep a core busy, and offer a checkpoint after each fraction of a millisecond.

    The work is one long call of C: a loop of Python is faster or slower by a tenth from process to
    process, with the places that its memory happens to get.
    """
    state = checkpoint or {"step": 0, "digest": ""}
    while state["step"] < job["steps"]:
        digest = hashlib.sha256(state["digest"].encode() + BLOCK).hexdigest()
        state = {"step": state["step"] + 1, "digest": digest}
        yield state
    return int(state["step"])


def tick(job: Job, checkpoint: dict[str, Any] | None) -> Steps:
    """Take many short steps, and note each with its time."""
    state = checkpoint or {"step": 0}
    while state["step"] < job["steps"]:
        time.sleep(TICK_S)
        state = {"step": state["step"] + 1}
        trace(state["step"], time.time(), os.getpid())
        yield state
    return int(state["step"])


def weigh(job: Job, checkpoint: dict[str, Any] | None) -> Steps:
    """Offer checkpoints with a file of ``size`` bytes that is never the same, and note how long each yield took."""
    weights = bytearray(os.urandom(job["size"]))
    first = checkpoint["step"] if checkpoint else 0
    for step in range(first + 1, job["steps"] + 1):
        time.sleep(TICK_S)
        weights[:8] = step.to_bytes(8, "big")
        offered = time.monotonic()
        yield Checkpoint({"step": step}, files={"weights": partial(_write, weights)})
        trace(step, time.monotonic() - offered)
    return int(job["steps"])


def _write(content: bytearray, path: Path) -> None:
    path.write_bytes(content)
