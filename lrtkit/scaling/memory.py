"""What earlier readings say: how much was needed lately, and for how long nothing has been."""

from __future__ import annotations

from collections.abc import Sequence

from lrtkit.scaling.decision import Action, Outcome, Step, count
from lrtkit.scaling.policy import Policy
from lrtkit.scaling.snapshot import Snapshot

HORIZON_S = 3600.0
"""A reading that is older says nothing about now, unless a decision waits for longer."""

LONGEST_PAUSE_S = 1800.0
"""Steps have to come at least so often, or there would never be two readings that count."""

QUIET_LEASES = 2
"""The queue's counts may lag by a minute, and a job whose worker is gone is seen again after a lease."""

ORPHAN_S = 900.0
"""What speaks against an empty queue for longer has no message that a replica could take."""


def horizon_s(seen: Snapshot, policy: Policy) -> float:
    """Return for how long a reading counts: an hour more than the longest that a decision waits."""
    return HORIZON_S + max(policy.cool_down_s, 2 * QUIET_LEASES * seen.lease_s)


def recent(seen: Snapshot, policy: Policy, history: Sequence[Step]) -> list[Step]:
    """Return the group's steps that still count, oldest first."""
    since = seen.at - horizon_s(seen, policy)
    mine = (step for step in history if step.snapshot.group in {"", seen.group})  # an earlier kit did not keep it
    return [step for step in mine if since <= step.snapshot.at <= seen.at]


def has_started(seen: Snapshot, past: Sequence[Step], *, within_s: float) -> bool:
    """Tell whether the group was started within that time, when it was in the state that it is in now."""
    starts = (step for step in past if step.decision.action is Action.START and step.outcome is Outcome.DONE)
    return any(step.snapshot.status == seen.status and step.snapshot.at > seen.at - within_s for step in starts)


def window(seen: Snapshot, policy: Policy, past: Sequence[Snapshot]) -> list[Snapshot]:
    """Return the readings of the cool-down, this one last."""
    return [each for each in past if each.at > seen.at - policy.cool_down_s] + [seen]


def busy(seen: Snapshot, past: Sequence[Snapshot]) -> int:
    """Return how many replicas have a job.

    Where none ever says so by itself there are only the queue's counts, which are approximate: a fall of
    theirs is believed when the next reading shows it too.
    """
    if not past or any(each.at_work for each in [*past, seen]):
        return seen.busy
    return max(seen.in_flight, past[-1].in_flight)


def until_empty(seen: Snapshot, past: Sequence[Snapshot], *, at_least: int) -> tuple[int, list[str]]:
    """Return zero once the queue has read empty for two leases and nothing speaks against it; until then more."""
    empty_s, quiet_s = _empty_s(seen, past), QUIET_LEASES * seen.lease_s
    if empty_s < quiet_s:
        kept = max(1, at_least, seen.at_work)
        return min(seen.replicas, kept), [f"empty for {empty_s:.0f} s, which has to last two leases ({quiet_s:g} s)"]
    objection = _objection(seen)
    if objection and empty_s < max(ORPHAN_S, 2 * quiet_s):
        return min(seen.replicas, max(1, seen.at_work)), [f"empty for {empty_s:.0f} s, but {objection}"]
    return 0, [f"empty for {empty_s:.0f} s"]


def _objection(seen: Snapshot) -> str:
    """Return the words for what says that there still are jobs, though the queue has none."""
    if seen.at_work:
        return f"{seen.at_work} say that they are busy"
    return f"{count(seen.open_records, 'record')} not ended" if seen.open_records else ""


def _empty_s(seen: Snapshot, past: Sequence[Snapshot]) -> float:
    """Return for how many seconds all readings have been without open jobs; 0 where this is the first."""
    since = seen.at
    for each in reversed(past):
        if each.open_jobs:
            break
        since = each.at
    return seen.at - since
