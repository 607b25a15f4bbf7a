"""One reading of a queue and of a container group."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Snapshot:
    """What was seen at ``at`` (seconds since 1970); the queue's counts are approximate, as SQS gives them.

    ``status`` is the group's as SaladCloud says it. Of its instances ``running`` run, ``coming`` are being
    allocated or created, and ``at_work`` have set a deletion cost, which a worker does while it has a job.
    ``open_records`` counts records in the bucket that have not ended; it is looked up only where the queue
    reads empty. ``lease_s`` is how long the workers hold a job. ``quota_left`` is how many more replicas the
    organization may ask for, ``usd_per_hour`` the price of one replica; None where nobody asked.
    """

    waiting: int
    in_flight: int
    delayed: int
    replicas: int
    status: str
    at: float = 0.0
    running: int = 0
    coming: int = 0
    at_work: int = 0
    open_records: int = 0
    lease_s: float = 120.0
    quota_left: int | None = None
    usd_per_hour: float | None = None

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
