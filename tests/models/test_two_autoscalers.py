"""Two autoscalers of one group, such as a function and a notebook, with their calls in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import greenlet
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtkit.autoscaler.scaler import STALE_S
from lrtkit.scaling import Outcome, Policy, Step
from tests.models.scene import MINUTES, ONE_CHANGE, POLICIES, Minute, Scene

ORDERS = st.lists(st.integers(0, 1), max_size=40)
EVENTS = st.none() | st.builds(
    Minute,
    submit=st.sampled_from([0, 1, 30]),
    arrive=st.integers(0, 20),
    finish=st.integers(0, 20),
    lose=st.sampled_from([0, 0, 2]),
)
CHANGES = {"patch_group": "patch", "start_group": "start", "stop_group": "stop"}


class Paused:
    """Stands before queue, group or bucket, and lets others go first at each call."""

    def __init__(self, inner: Any, calls: list[str]) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return self._pausing(name, value) if callable(value) else value

    def _pausing(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def later(*args: Any, **kwargs: Any) -> Any:
            greenlet.getcurrent().parent.switch()
            self._calls.extend([CHANGES[name]] if name in CHANGES else [])
            return call(*args, **kwargs)

        return later


class Run:
    """One step of an autoscaler of its own, which goes on call by call."""

    def __init__(self, scene: Scene, *, later_s: float) -> None:
        self.calls: list[str] = []
        self.step: Step | None = None
        parts = (Paused(each, self.calls) for each in (scene.queue, scene.scaler.store, scene.group))
        scaler = scene.autoscaler(*parts)
        self._life = greenlet.greenlet(lambda: scaler.step(now=lambda: scene.time_s + later_s))

    def go_on(self) -> bool:
        """Make the next call; tell whether there was one."""
        if not self._life.dead:
            self.step = self._life.switch()
        return not self._life.dead


def overlapping(scene: Scene, order: list[int], between: Callable[[], None] = lambda: None) -> list[Step]:
    """Let two steps overlap in that order; return what came of them."""
    scene.queue.read()
    runs = [Run(scene, later_s=0.0), Run(scene, later_s=0.5)]
    for turn in order:
        runs[turn].go_on()
        between()
    for run in runs:
        while run.go_on():
            pass
        assert run.calls in ONE_CHANGE, f"opposite changes at once: {run.calls}"
    assert scene.group.replicas <= scene.policy.max_replicas, "more replicas than the policy allows"
    return [run.step for run in runs if run.step]


def before(policy: Policy, minutes: list[Minute]) -> Scene:
    """A group with a past."""
    scene = Scene(policy)
    scene.group.give_back = scene.take_back
    for minute in minutes:
        scene.live(minute)
        scene.step()
    return scene


@settings(max_examples=60)
@given(POLICIES, MINUTES, ORDERS)
def test_two_at_once_are_as_good_as_one(policy: Policy, minutes: list[Minute], order: list[int]) -> None:
    """Where nothing else happens meanwhile, no busy replica is lost, and a third step finds nothing to change."""
    scene = before(policy, minutes)
    scene.live(Minute(1, 0, 0, 0))
    scene.time_s += 60
    steps = overlapping(scene, order)
    assert not scene.group.lost_work
    assert len(steps) == 2
    scene.time_s += 1
    assert scene.scaler.step(now=lambda: scene.time_s).outcome is Outcome.NOTHING_TO_DO
    assert len(scene.scaler.history()) == len(minutes) + 3


@settings(max_examples=30)
@given(POLICIES, MINUTES, ORDERS, st.lists(EVENTS, max_size=40), st.sampled_from([0, 0, STALE_S + 1]))
def test_what_one_does_by_an_old_reading_the_next_step_puts_right(
    policy: Policy, minutes: list[Minute], order: list[int], events: list[Minute | None], pause_s: float
) -> None:
    """Jobs come and go between the calls of two steps: none is lost, and all are done in the end with nothing left."""
    scene, waiting = before(policy, minutes), iter(events)

    def between() -> None:
        scene.live(next(waiting, None) or Minute(0, 0, 0, 0))
        scene.time_s += pause_s

    overlapping(scene, order, between)
    scene.group.lost_work.clear()
    assert scene.queue.in_flight == sum(each.busy for each in scene.group.live)
    if policy.max_replicas:
        scene.finish()
    if policy.min_replicas == 0:
        assert not scene.group.is_started
        assert not scene.group.live
