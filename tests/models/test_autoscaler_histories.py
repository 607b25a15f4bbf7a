"""Histories of a container group under the autoscaler."""

from __future__ import annotations

from hypothesis import given, settings

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
