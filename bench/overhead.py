"""What the worker adds to a job, against the bare loop of the same work in a process of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import psutil

from bench import stage
from bench.stage import ROOT, Stage
from bench.table import Row, below
from lrtkit.wire.clock import seconds_of

ROUNDS = 4
SHORT_ROUNDS = 5
WANTED_S = 20
TRIAL_STEPS = 10_000
BARE = """
import sys
from bench.work import churn
steps = churn({"steps": int(sys.argv[1])}, None)
while next(steps, None):
    pass
"""


def measure() -> Iterator[Row]:
    """Let the bare loop and the same work as a job share one core, so that whatever disturbs one disturbs both."""
    steps = round(TRIAL_STEPS * WANTED_S / min(_end(_bare(TRIAL_STEPS)) for _ in range(3)))
    with stage.opened() as on:
        worker = on.worker("churn")
        _pin(worker.pid)
        worker.said("started")
        _timed(on, "warm-up", 1)
        ratios = [_pair(on, f"long-{place}", steps) for place in range(ROUNDS)]
        short = [_timed(on, f"short-{place}", 1) for place in range(SHORT_ROUNDS)]
    words, meets = below(1.02, "times")
    told = f"processor time of a job of {WANTED_S} s, to the bare loop"
    yield Row(told, ratios, unit="times", target=words, meets=meets, digits=3)
    yield Row("  sending to result of a job without work", short)


def _pair(on: Stage, job_id: str, steps: int) -> float:
    """Return the processor time of worker and workload for a job, to that of the bare loop beside it."""
    before = _busy_s(on)
    bare = _bare(steps)
    on.send(job_id, steps=steps)
    on.ended(job_id)
    time.sleep(1)  # the worker has still to let the job go
    return (_busy_s(on) - before) / _end(bare)


def _timed(on: Stage, job_id: str, steps: int) -> float:
    """Return the seconds from the sending of a job to its commit."""
    sent = time.time()
    on.send(job_id, steps=steps)
    return seconds_of(on.ended(job_id).updated_at or "") - sent


def _bare(steps: int) -> int:
    """Start the work in a bare process and return its id."""
    env = {**stage.bare(), "PYTHONPATH": str(ROOT)}
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", BARE, str(steps)], env)
    _pin(pid)
    return pid


def _end(pid: int) -> float:
    """Wait for a process and return the processor time that it took."""
    _, status, used = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"the bare loop ended with status {status}")
    return used.ru_utime + used.ru_stime


def _pin(pid: int) -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(pid, {min(os.sched_getaffinity(pid))})


def _busy_s(on: Stage) -> float:
    """Return the processor time of the worker and of the workloads that have ended."""
    times = psutil.Process(on.workers[0].pid).cpu_times()
    return times.user + times.system + times.children_user + times.children_system
