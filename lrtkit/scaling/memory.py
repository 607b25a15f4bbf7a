"""What earlier readings say: how much was needed lately, and for how long nothing has been."""

from __future__ import annotations

from collections.abc import Sequence

from lrtkit.scaling.decision import Action, Outcome, Step
from lrtkit.scaling.policy import Policy
from lrtkit.scaling.snapshot import Snapshot

HORIZON_S = 3600.0
"""An older reading says nothing about now."""

QUIET_LEASES = 2
"""The queue's counts may lag by a minute, and a job whose worker is gone is seen again after a lease."""

ORPHAN_S = 900.0
"""A record still open after the queue has been empty for so long has no message that a replica could take."""


def recent(seen: Snapshot, history: Sequence[Step]) -> list[Step]:
    """Return the steps of the last hour, oldest first."""
    return [step for step in history if seen.at - HORIZON_S <= step.snapshot.at <= seen.at]


def has_started(seen: Snapshot, past: Sequence[Step], *, within_s: float) -> bool:
    """Tell whether the group was started within that time, when it was in the state that it is in now."""
    starts = (step for step in past if step.decision.action is Action.START and step.outcome is Outcome.DONE)
    return any(step.snapshot.status == seen.status and step.snapshot.at > seen.at - within_s for step in starts)


def window(seen: Snapshot, policy: Policy, past: Sequence[Snapshot]) -> list[Snapshot]:
    """Return the readings of the cool-down, this one last."""
    return [each for each in past if each.at > seen.at - policy.cool_down_s] + [seen]


def until_empty(seen: Snapshot, past: Sequence[Snapshot], *, at_least: int) -> tuple[int, list[str]]:
    """Return zero once the queue has read empty for two leases and no record is open; until then one or more."""
    empty_s, quiet_s = _empty_s(seen, past), QUIET_LEASES * seen.lease_s
    if empty_s < quiet_s:
        kept = max(1, at_least, seen.at_work)
        return min(seen.replicas, kept), [f"empty for {empty_s:.0f} s, which has to last two leases ({quiet_s:g} s)"]
    if seen.open_records and empty_s < ORPHAN_S:
        return min(seen.replicas, max(1, seen.at_work)), [f"but {seen.open_records} records are still open"]
    return 0, [f"empty for {empty_s:.0f} s"]


def _empty_s(seen: Snapshot, past: Sequence[Snapshot]) -> float:
    """Return for how many seconds all readings have been without open jobs; 0 where this is the first."""
    since = seen.at
    for each in reversed(past):
        if each.open_jobs:
            break
        since = each.at
    return seen.at - since
