"""Goodput under interruptions, against the formula for saves in the background.

The real worker runs in virtual time, on twins of queue, bucket and workload, for weeks; whatever
holds the job is taken away again and again, and the next worker goes on when the lease is over.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterator

from bench.table import Row, at_most
from lrtkit.wire import ledger
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import Outgoing
from tests.simulation import loop
from tests.simulation.cloud import CloudTwin
from tests.simulation.node import NodeTwin
from tests.simulation.workload import Pace
from worker.lease import BEATS

MTBI_H = (92, 21, 5, 1)
"""Mean times between interruptions: two that were published of SaladCloud, and two that are far worse."""

SEEDS = (1, 2, 3)
HOURS = 100
STANDIN_BYTES = 1_000
"""What stands for the 256 MB of a checkpoint; the rates below are such that it takes as long."""

UPLOAD_S = 256e6 * 8 / 50e6
DOWNLOAD_S = 10.0
PACE = Pace(start_s=2.0, step_s=1.0, stall_s=0.2, file_size=STANDIN_BYTES)
SETTINGS = WorkerSettings(imds_url="")
POINTS = 0.5


def measure() -> Iterator[Row]:
    """Run several histories at each rate."""
    words, meets = at_most(POINTS, "points off")
    for hours in MTBI_H:
        expected = 100 * formula(hours * 3600)
        found = [100 * loop.run(_history(hours * 3600, random.Random(seed))) for seed in SEEDS]
        yield Row(f"goodput at one interruption in {hours} h", found, unit="%")
        off = [abs(sum(found) / len(found) - expected)]
        yield Row(f"  the formula gives {expected:.2f} %", off, unit="points off", target=words, meets=meets)


def formula(mtbi_s: float) -> float:
    """Return 1 - s/w - (w/2 + U + D + R)/mtbi at the best w: FACTS, Checkpoint arithmetic."""
    stall_s = PACE.stall_s
    best_s = max(math.sqrt(2 * stall_s * mtbi_s), UPLOAD_S)
    detection_s = SETTINGS.lease_s * (1 - 1 / BEATS / 2)
    load_s = DOWNLOAD_S + PACE.start_s
    return 1 - stall_s / best_s - (best_s / 2 + UPLOAD_S + detection_s + load_s) / mtbi_s


async def _history(mtbi_s: float, dice: random.Random) -> float:
    """Return the part of the time that has become committed work."""
    cloud = CloudTwin(up_s_a_byte=UPLOAD_S / STANDIN_BYTES, down_s_a_byte=DOWNLOAD_S / STANDIN_BYTES)
    cloud.queue.send(Outgoing('{"job_id": "job", "steps": 1000000000}', "job", "once"))
    names = map(str, range(1_000_000))

    def node() -> NodeTwin:
        return NodeTwin(next(names), cloud, settings=SETTINGS, pace=PACE)

    holder = node()
    for gap_s in _gaps(mtbi_s, dice):
        await holder.is_busy()
        await asyncio.sleep(gap_s)
        holder.vanish()
        holder = node()
    record = ledger.read(cloud.store, "job").record
    step = record.checkpoint.step if record and record.checkpoint else None
    return (step or 0) * PACE.step_s / asyncio.get_running_loop().time()


def _gaps(mtbi_s: float, dice: random.Random) -> list[float]:
    """Return exponential times between interruptions, evenly drawn so that few of them have the right mean."""
    count = max(3, round(HOURS * 3600 / mtbi_s))
    gaps = [-math.log(1 - (place + dice.random()) / count) for place in range(count)]
    dice.shuffle(gaps)
    return [gap * mtbi_s * count / sum(gaps) for gap in gaps]
