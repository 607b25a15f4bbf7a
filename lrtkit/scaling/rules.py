"""The two rules, and the decision that they lead to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from lrtkit.scaling import limits, memory, states
from lrtkit.scaling.decision import Action, Decision, Step, count
from lrtkit.scaling.limits import Limit
from lrtkit.scaling.policy import Policy, Rule
from lrtkit.scaling.snapshot import Snapshot
from lrtkit.scaling.states import State

Wish = tuple[int, list[str]]
"""A number of replicas, and what speaks for it beside the number of jobs."""


def decide(seen: Snapshot, policy: Policy, history: Sequence[Step] = ()) -> Decision:
    """Return what to do about the group, given what was seen now and lately (``history``, oldest first)."""
    state = states.state_of(seen)
    past = memory.recent(seen, policy, history)
    readings = [step.snapshot for step in past]
    replicas, reasons = _guide(seen, policy) if policy.rule is Rule.GUIDE else _default(seen, policy, state, readings)
    action = states.action(state, seen, replicas)
    if action is Action.START and memory.has_started(seen, past, within_s=state.patience_s):
        action, reasons = Action.NOTHING, [*reasons, f"it was started, and {_said(seen.status)}"]
    if state.alert:
        reasons = [*reasons, "look at the group's logs and its image"]
    return Decision(replicas, action, (_headline(seen, state, replicas, action), *reasons), state.alert)


def _guide(seen: Snapshot, policy: Policy) -> Wish:
    """Return waiting and running jobs, between the bounds."""
    return min(policy.max_replicas, max(policy.min_replicas, seen.waiting + seen.in_flight)), []


def _default(seen: Snapshot, policy: Policy, state: State, past: Sequence[Snapshot]) -> Wish:
    limit = limits.tightest(seen, policy)
    wanted, reasons = _within(seen, policy, limit)
    if state.is_started and wanted < seen.replicas:
        wanted, why = _shrunk(seen, policy, limit, past)
        reasons = [*reasons, *why]
    stepped, why = _one_step(seen, policy, state, wanted)
    return stepped, [*reasons, *why, *filter(None, [limits.cannot_finish(seen, policy, wanted)])]


def _within(seen: Snapshot, policy: Policy, limit: Limit) -> Wish:
    """Return what is needed within the limits; the words tell what the need alone would not explain."""
    needed, why = _needed(seen, policy)
    asked = max(policy.min_replicas, needed)
    wanted = min(limit.most, asked)
    if wanted < asked:
        return wanted, [*why, f"{asked} would be of use, but {limit.why}"]
    return wanted, [*why, f"the minimum is {wanted}"] if wanted > needed else why


def _needed(seen: Snapshot, policy: Policy) -> Wish:
    """Return the open jobs' share of replicas, less those that would come when the work is done."""
    needed = math.ceil(seen.open_jobs / policy.jobs_per_replica)
    if policy.job_s is None or not seen.running or needed <= seen.running + seen.coming:
        return needed, []
    done_before = math.floor(seen.running * policy.startup_s / policy.job_s)
    useful = max(seen.running + seen.coming, math.ceil((seen.open_jobs - done_before) / policy.jobs_per_replica))
    if useful >= needed:
        return needed, []
    return useful, [f"{needed - useful} more would come after the {seen.running} that run have done the work"]


def _shrunk(seen: Snapshot, policy: Policy, limit: Limit, past: Sequence[Snapshot]) -> Wish:
    """Return to how many replicas a started group may shrink: busy ones stay, and zero has to be certain."""
    needs = [_within(each, policy, limit)[0] for each in memory.window(seen, policy, past)]
    swings = any(after > before for before, after in pairwise(needs))
    lately = min(seen.replicas, max(needs) if swings else needs[-1])  # what only falls will not be needed again
    busy = min(memory.busy(seen, past), seen.replicas)  # jobs of lost replicas are in flight too
    if not seen.open_jobs and not policy.min_replicas:
        return memory.until_empty(seen, past, at_least=max(lately, busy))
    most = limits.firm(seen, policy)
    if seen.to_be_taken and busy > most:
        # Above the limit a replica would take the next job, and the next, and never become idle.
        return most, [f"the jobs of {busy - most} busy replicas above it go on from their checkpoints"]
    kept = max(lately, busy)
    if kept == needs[-1]:
        return kept, []
    if kept > busy:
        return kept, [f"{lately} were needed a moment ago"]
    return kept, [f"{busy} are busy" if busy <= seen.busy else f"{busy} were busy a moment ago"]


def _one_step(seen: Snapshot, policy: Policy, state: State, wanted: int) -> Wish:
    """Return what one step may change; nothing holds up the end of all spending."""
    now = seen.replicas if state.is_started else 0
    stepped = min(now + policy.step_limit, max(now - policy.step_limit, wanted)) if wanted else 0
    return stepped, [f"{wanted} in the end, {policy.step_limit} in a step"] if stepped != wanted else []


def _said(status: str) -> str:
    words = {"failed": "has failed", "succeeded": "has ended", "unknown": "is in a state that is not known"}
    return words.get(status, f"is {status}")


def _headline(seen: Snapshot, state: State, replicas: int, action: Action) -> str:
    jobs = f"{count(seen.to_be_taken, 'job')} wait{'s' * (seen.to_be_taken == 1)} and {seen.in_flight} run"
    coming = f", {seen.coming} of them coming" if seen.coming else ""
    group = f"{count(seen.replicas, 'replica')}{coming}" if state.is_started else f"the group {_said(seen.status)}"
    return {
        Action.NOTHING: f"{jobs}: {group}, nothing to change",
        Action.SCALE: f"{jobs}: from {group} to {replicas}",
        Action.START: f"{jobs}: {group}, start it with {count(replicas, 'replica')}",
        Action.STOP: f"{jobs}: {group}, {'' if seen.open_jobs else 'none needed any more, '}stop it",
    }[action]
