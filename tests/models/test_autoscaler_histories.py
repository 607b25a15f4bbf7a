"""Histories of a container group under the autoscaler."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lrtkit.scaling import Policy
from tests.models.scene import MINUTES, POLICIES, Minute, Scene


@settings(max_examples=60)
@given(POLICIES, MINUTES)
def test_the_rules_hold_whatever_happens(policy: Policy, minutes: list[Minute]) -> None:
    """Never above the maximum, never below what is busy, one change a step; and when all is done, nothing is left."""
    scene = Scene(policy)
    for minute in minutes:
        scene.live(minute)
        scene.step()
    if policy.max_replicas:
        scene.finish()
    if policy.min_replicas == 0:
        assert not scene.group.is_started, "a group without jobs was not stopped"
        assert not scene.group.live


LIES = st.lists(st.sampled_from([None, {"waiting"}, {"in_flight"}, {"waiting", "in_flight"}]), max_size=40)
LONGEST_LIE = 5
"""Minutes; the counts of SQS may need one to settle."""


@settings(max_examples=60)
@given(POLICIES, MINUTES, LIES)
def test_no_busy_replica_is_lost_to_counts_that_lie(
    policy: Policy, minutes: list[Minute], lies: list[set[str] | None]
) -> None:
    """Counts that are late, or that miss what waits, runs or both, cost no work of workers that say they are busy."""
    scene = Scene(policy)
    for number, minute in enumerate(minutes):
        scene.live(minute)
        lie = lies[number] if number < len(lies) and number % LONGEST_LIE else set()
        scene.step(lost=lie)
    if policy.max_replicas:
        scene.finish()
    assert policy.min_replicas or not scene.group.live
