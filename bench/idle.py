"""What a worker without a job costs: its memory, and the time from its start to its first receive."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import psutil

from bench import stage
from bench.stage import Stage, Worker
from bench.table import Row, below

ROUNDS = 9
SETTLED_S = 1.5


def measure() -> Iterator[Row]:
    """Start workers on an empty queue, and on a queue that takes note of their first receive."""
    with stage.opened() as on:
        starts = [_start(on) for _ in range(ROUNDS)]
        words, meets = below(0.6)
        yield Row("cold start to the first receive", [wall for wall, _ in starts], target=words, meets=meets)
        yield Row("  processor time of it", [busy for _, busy in starts])
        sizes = [_size_mb(on.worker("tick")) for _ in range(3)]
    words, meets = below(70, "MB")
    yield Row("idle worker memory, RSS", [rss for rss, _ in sizes], unit="MB", target=words, meets=meets, digits=1)
    yield Row("  its own share of it, PSS", [pss for _, pss in sizes], unit="MB", digits=1)


def _start(on: Stage) -> tuple[float, float]:
    """Return the seconds from the start of a worker to its first call, on the clock and on the processor."""
    with socket.create_server(("127.0.0.1", 0)) as queue:
        queue.settimeout(stage.PATIENCE_S)
        began = time.monotonic()
        url = f"http://127.0.0.1:{queue.getsockname()[1]}"
        worker = on.worker("tick", env={"AWS_ENDPOINT_URL_SQS": url, "SQS_QUEUE_URL": f"{url}/000000000000/any.fifo"})
        call, _ = queue.accept()
        with call:
            first = call.recv(4)
            wall_s = time.monotonic() - began
            times = psutil.Process(worker.pid).cpu_times()
        worker.end()
    if first != b"POST":
        raise RuntimeError(f"the first call began with {first!r}")
    return wall_s, times.user + times.system


def _size_mb(worker: Worker) -> tuple[float, float]:
    """Return the resident memory of a worker that polls, all of it and its share."""
    worker.said("started")
    time.sleep(SETTLED_S)
    memory = psutil.Process(worker.pid).memory_full_info()
    worker.end()
    return memory.rss / 1e6, memory.pss / 1e6
