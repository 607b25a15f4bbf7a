"""Requests to queue and bucket for an hour of a job, against the guide's worker.

The real worker runs a job of the guide's steps in virtual time; each call of a twin is one request.
The guide's worker is counted from its code: a receive and a read of the checkpoint; an extension
at once and after each half of its 60 s lease; a write of the checkpoint after every step; at the
end a write of the result and a delete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bench.table import Row, below
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import Outgoing
from tests.simulation import loop
from tests.simulation.cloud import CloudTwin
from tests.simulation.node import NodeTwin
from tests.simulation.workload import Pace

HOURS = 10
GUIDES_STEP_S = 30
GUIDES_BEAT_S = 30
PRICES = {"queue": 0.50, "writes": 4.50, "reads": 0.36}
"""Dollars a million requests."""

KINDS = {"writes": ("PutObject", "ListObjectsV2"), "reads": ("GetObject", "HeadObject")}


def measure() -> Iterator[Row]:
    """Count for steps as long as the guide's, and for shorter ones."""
    for step_s in (GUIDES_STEP_S, 1):
        ours, guides = loop.run(_counted(step_s)), _guides(step_s)
        words, meets = below(round(sum(guides.values()), 1), "calls")
        row = f"calls an hour of a job with steps of {step_s} s"
        yield Row(row, [sum(ours.values())], unit="calls", target=words, meets=meets, digits=1)
        yield _detail("of them", ours)
        yield _detail("the guide's", guides)


async def _counted(step_s: int) -> dict[str, float]:
    """Return the requests an hour of one job from its receive to its delete."""
    cloud, steps = CloudTwin(), HOURS * 3600 // step_s
    cloud.queue.send(Outgoing(f'{{"job_id": "job", "steps": {steps}}}', "job", "once"))
    cloud.forget()
    NodeTwin("a", cloud, settings=WorkerSettings(imds_url=""), pace=Pace(step_s=step_s))
    while not cloud.sqs.calls["DeleteMessage"]:  # noqa: ASYNC110  (in virtual time it costs nothing to look again)
        await asyncio.sleep(1)
    kinds = {kind: sum(cloud.s3.calls[call] for call in calls) for kind, calls in KINDS.items()}
    return _an_hour(queue=sum(cloud.sqs.calls.values()), **kinds)


def _guides(step_s: int) -> dict[str, float]:
    """Return the requests an hour of the guide's worker for the same job."""
    beats, steps = 1 + HOURS * 3600 // GUIDES_BEAT_S, HOURS * 3600 // step_s
    return _an_hour(queue=1 + beats + 1, writes=steps + 1, reads=1)


def _an_hour(**counts: int) -> dict[str, float]:
    return {kind: count / HOURS for kind, count in counts.items()}


def _detail(whose: str, calls: dict[str, float]) -> Row:
    """Return a row of the kinds of calls, and what a thousand hours of a job cost in them."""
    kinds = ", ".join(f"{count:,.0f} {kind}" for kind, count in calls.items())
    dollars = sum(count * PRICES[kind] for kind, count in calls.items()) / 1000
    return Row(f"  {whose} {kinds}", [dollars], unit="$ per 1,000 hours")
