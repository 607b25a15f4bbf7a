"""What a worker is made of; ``__main__`` puts the real ones together, a simulation its twins."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lrtkit.wire.clock import Clock
from lrtkit.wire.record import Holder
from lrtkit.wire.s3 import Store
from lrtkit.wire.sqs import Queue
from worker.node import Node
from worker.report import Report
from worker.running import Workloads


@dataclass(frozen=True)
class Organs:
    """The queue, the bucket, time, workloads, the machine, the log, and the stop signal."""

    queue: Queue
    store: Store
    clock: Clock
    workloads: Workloads
    node: Node
    report: Report
    holder: Holder
    stop: asyncio.Event
