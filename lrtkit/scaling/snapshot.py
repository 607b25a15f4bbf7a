"""One reading of a queue and of a container group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lrtkit.wire import shape


@dataclass(frozen=True)
class Snapshot:
    """What was seen at ``at`` (seconds since 1970); the queue's counts are approximate, as SQS gives them.

    ``status`` is the group's as SaladCloud says it. Of its instances ``running`` run, ``coming`` are being
    allocated or created, and ``at_work`` have set a deletion cost, which a worker does while it has a job.
    ``open_records`` counts records in the bucket that have not ended; it is looked up only where the queue
    reads empty. ``lease_s`` is how long the workers hold a job. ``quota_left`` is how many more replicas the
    organization may ask for, ``usd_per_hour`` the price of one replica; None where nobody asked. ``group`` is the
    container group's name: a queue may have several, and what was seen of one says nothing about another.
    """

    waiting: shape.Count
    in_flight: shape.Count
    delayed: shape.Count
    replicas: shape.Count
    status: str
    at: shape.Step = 0.0
    running: shape.Count = 0
    coming: shape.Count = 0
    at_work: shape.Count = 0
    open_records: shape.Count = 0
    lease_s: shape.Step = 120.0
    quota_left: Annotated[int, "a whole number", shape.is_step] | None = None
    usd_per_hour: shape.Step | None = None
    group: str = ""

    @property
    def open_jobs(self) -> int:
        """Jobs that still need a worker, those that wait for their next attempt included."""
        return self.waiting + self.in_flight + self.delayed

    @property
    def to_be_taken(self) -> int:
        """Jobs that an idle worker would take, now or soon."""
        return self.waiting + self.delayed

    @property
    def busy(self) -> int:
        """Replicas that have a job, by the queue or by their own word, whichever says more."""
        return max(self.in_flight, self.at_work)
