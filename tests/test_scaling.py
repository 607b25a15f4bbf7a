"""How many replicas there should be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.scaling import Action, Policy, Snapshot, decide
from lrtkit.wire.errors import BadInput

STATUSES = ["pending", "deploying", "running", "stopped", "succeeded", "failed", "something new"]

COUNTS = st.integers(0, 1000)
SNAPSHOTS = st.builds(Snapshot, COUNTS, COUNTS, COUNTS, replicas=st.integers(0, 500), status=st.sampled_from(STATUSES))
POLICIES = st.tuples(st.integers(0, 500), st.integers(0, 500), st.floats(0.1, 20)).map(
    lambda drawn: Policy(min(drawn[:2]), max(drawn[:2]), drawn[2])
)


def snapshot(waiting: int = 0, in_flight: int = 0, *, replicas: int = 0, status: str = "running") -> Snapshot:
    return Snapshot(waiting, in_flight, 0, replicas, status)


@pytest.mark.parametrize(
    ("seen", "replicas", "action"),
    [
        (snapshot(27, status="stopped"), 10, Action.START),
        (snapshot(27, status="pending"), 10, Action.START),
        (snapshot(3, status="failed"), 3, Action.START),
        (snapshot(5, 4, replicas=4), 9, Action.SCALE),
        (snapshot(0, 4, replicas=9, status="deploying"), 4, Action.SCALE),
        (snapshot(2, 2, replicas=4), 4, Action.NOTHING),
        (snapshot(replicas=4), 0, Action.STOP),
        (snapshot(replicas=4, status="deploying"), 0, Action.STOP),
        (snapshot(replicas=4, status="pending"), 0, Action.STOP),
        (snapshot(status="stopped"), 0, Action.NOTHING),
    ],
)
def test_each_reading_has_its_decision(seen, replicas, action):
    """Open jobs, the bounds and the state of the group decide together."""
    decision = decide(seen, Policy(max_replicas=10))
    assert (decision.replicas, decision.action) == (replicas, action)


def test_a_decision_says_why():
    """The sentence has the numbers that were seen and the number that comes of them."""
    decision = decide(snapshot(5, 4, replicas=4), Policy(max_replicas=10))
    assert str(decision) == "5 jobs wait and 4 run: from 4 replicas to 9"


def test_several_jobs_can_share_a_replica():
    """With four jobs a replica, ten jobs get three."""
    assert decide(snapshot(10, status="stopped"), Policy(jobs_per_replica=4)).replicas == 3


@given(SNAPSHOTS, POLICIES)
def test_the_bounds_hold_unless_busy_replicas_would_be_lost(seen, policy):
    """The maximum is never exceeded but to keep what is at work, and shrinking never goes below that."""
    decision = decide(seen, policy)
    assert decision.replicas >= policy.min_replicas or decision.replicas >= seen.in_flight
    if decision.replicas > policy.max_replicas:
        assert decision.replicas <= seen.replicas
    if seen.is_started and decision.replicas < seen.replicas:
        assert decision.replicas >= min(seen.in_flight, seen.replicas)


@given(st.builds(Snapshot, st.just(0), st.just(0), st.just(0), COUNTS, st.sampled_from(STATUSES)))
def test_without_jobs_it_reaches_zero(seen):
    """A queue without open jobs ends in a stopped group, whatever the group was."""
    assert decide(seen, Policy()).action in {Action.STOP, Action.NOTHING}
    assert decide(seen, Policy()).replicas == 0


@given(SNAPSHOTS, POLICIES)
def test_a_decision_carried_out_needs_no_other(seen, policy):
    """Deciding again on the group as decided changes nothing."""
    first = decide(seen, policy)
    status = "running" if first.replicas else "stopped"
    after = Snapshot(seen.waiting, seen.in_flight, seen.delayed, first.replicas, status)
    assert decide(after, policy).action is Action.NOTHING


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min_replicas": 5, "max_replicas": 4}, "minimum <= maximum"),
        ({"max_replicas": 501}, "<= 500"),
        ({"min_replicas": -1}, "0 <= minimum"),
        ({"jobs_per_replica": 0}, "more than 0"),
    ],
)
def test_impossible_policies_are_refused(bounds, message):
    """A policy that no group can follow is refused when it is made."""
    with pytest.raises(BadInput, match=message):
        Policy(**bounds)


@pytest.mark.parametrize("env", [{}, {"min_replicas": "0"}, {"min_replicas": "a", "max_replicas": "4"}])
def test_the_environment_must_have_whole_numbers(env):
    """What is missing or no number in the autoscaler's environment is named."""
    with pytest.raises(BadInput, match="min_replicas and max_replicas"):
        Policy.from_env(env)
