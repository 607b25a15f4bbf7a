"""The most replicas that may be asked for, by each limit that somebody has set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lrtkit.scaling.policy import Policy
from lrtkit.scaling.snapshot import Snapshot

DEADLINE_MARGIN = 1.2
"""Interruptions, start-up and the last job's tail take more than the bare work."""


@dataclass(frozen=True)
class Limit:
    """A number of replicas and the words for where it comes from; one that is not firm only holds up growth."""

    most: int
    why: str
    is_firm: bool = True


def tightest(seen: Snapshot, policy: Policy) -> Limit:
    """Return the limit that allows the fewest replicas."""
    return min(_limits(seen, policy), key=lambda limit: limit.most)


def firm(seen: Snapshot, policy: Policy) -> int:
    """Return how many replicas the firm limits allow, even to a group that has more."""
    return min(limit.most for limit in _limits(seen, policy) if limit.is_firm)


def _limits(seen: Snapshot, policy: Policy) -> Iterator[Limit]:
    yield Limit(policy.max_replicas, f"the maximum is {policy.max_replicas}")
    for limit in (_quota, _price, _hours, _deadline):
        found = limit(seen, policy)
        if found:
            yield found


def _quota(seen: Snapshot, policy: Policy) -> Limit | None:
    if not policy.heed_quota or seen.quota_left is None:
        return None
    most = max(0, seen.replicas + seen.quota_left)
    return Limit(most, f"the organization's quota leaves {most} to this group", is_firm=False)


def _price(seen: Snapshot, policy: Policy) -> Limit | None:
    if policy.max_usd_per_hour is None or not seen.usd_per_hour:
        return None
    most = math.floor(policy.max_usd_per_hour / seen.usd_per_hour + 1e-9)
    return Limit(most, f"${policy.max_usd_per_hour:g} an hour pay for {most} at ${seen.usd_per_hour:g} each")


def _hours(seen: Snapshot, policy: Policy) -> Limit | None:
    if policy.hours is None:
        return None
    begin, end = policy.hours
    zone = UTC if policy.time_zone == "UTC" else ZoneInfo(policy.time_zone)
    hour = datetime.fromtimestamp(seen.at, zone).hour
    is_open = begin <= hour < end if begin < end else hour >= begin or hour < end
    return None if is_open else Limit(0, f"it is not between {begin} and {end} o'clock ({policy.time_zone})")


def _deadline(seen: Snapshot, policy: Policy) -> Limit | None:
    """Return how many replicas finish in time; once the time has come, as many as there may be."""
    if policy.finish_by is None or policy.job_s is None:
        return None
    left_s = policy.finish_by - _begin(seen, policy)
    if left_s <= policy.job_s or not seen.open_jobs:
        return None
    on_the_whole = math.ceil(DEADLINE_MARGIN * seen.open_jobs * policy.job_s / left_s)
    one_by_one = math.ceil(seen.open_jobs / (left_s // policy.job_s))  # nobody begins a job that ends too late
    most = max(on_the_whole, one_by_one)
    return Limit(most, f"{most} are enough to finish by {_date(policy.finish_by)}", is_firm=False)


def cannot_finish(seen: Snapshot, policy: Policy, replicas: int) -> str:
    """Return the words for a deadline that so many replicas will miss; nothing where they will not."""
    if policy.finish_by is None or policy.job_s is None or not seen.open_jobs or not replicas:
        return ""
    rounds = math.ceil(seen.open_jobs / replicas)
    late_s = _begin(seen, policy) + rounds * policy.job_s - policy.finish_by
    return f"the last job ends {late_s / 3600:.1f} h after {_date(policy.finish_by)}" if late_s > 0 else ""


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _begin(seen: Snapshot, policy: Policy) -> float:
    """Return when work can begin: now, or once the first replicas have come."""
    return seen.at if seen.running else seen.at + policy.startup_s
