"""From a signal to a worker until the next worker's workload has gone on."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator

from bench import stage
from bench.stage import Stage, Worker
from bench.table import Row, at_most, below

ROUNDS = 5
LEASE_S = 4
STEPS = 1_000_000


def measure() -> Iterator[Row]:
    """Interrupt jobs again and again, each time with another worker waiting for work."""
    words, meets = below(1)
    stopped = _rounds(signal.SIGTERM, redone=0, checkpoint="auto")
    yield Row("resume after SIGTERM, at the same step", stopped, target=words, meets=meets)
    busy = _rounds(signal.SIGTERM, redone=0, checkpoint="1")
    yield Row("  the same while saving every second", busy, target=words, meets=meets)
    words, meets = at_most(LEASE_S + 1)
    killed = _rounds(signal.SIGKILL, redone=STEPS, checkpoint="auto")
    yield Row(f"resume after SIGKILL, lease of {LEASE_S} s", killed, target=words, meets=meets)


def _rounds(number: signal.Signals, *, redone: int, checkpoint: str) -> list[float]:
    with stage.opened() as on:
        on.send("job", steps=STEPS)
        _start(on, checkpoint)
        return [_interrupted(on, number, redone=redone, checkpoint=checkpoint) for _ in range(ROUNDS)]


def _interrupted(on: Stage, number: signal.Signals, *, redone: int, checkpoint: str) -> float:
    """Return the seconds from a signal to the first step of the next worker's workload."""
    holder, waiting = on.workers[0], _start(on, checkpoint)
    holder.said("claimed")
    on.trace.unlink(missing_ok=True)
    time.sleep(random.uniform(3, 5))  # not always the same moment between two saves
    workload = on.traced()[0][2]
    sent = time.time()
    holder.process.send_signal(number)
    first = stage.until(lambda: next((line for line in on.traced() if line[2] != workload), None))
    last = max(line[0] for line in on.traced() if line[2] == workload)
    if not last - redone <= first[0] - 1 <= last:
        raise RuntimeError(f"resumed at step {first[0]:g} after step {last:g}")
    holder.process.wait()
    on.workers[:] = [waiting]
    return first[1] - sent


def _start(on: Stage, checkpoint: str) -> Worker:
    worker = on.worker("tick", lease_seconds=LEASE_S, checkpoint_seconds=checkpoint)
    worker.said("started")
    return worker
