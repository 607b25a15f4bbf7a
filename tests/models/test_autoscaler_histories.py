"""Histories of a container group under the autoscaler: jobs come, replicas come late, work, are lost and are done."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lrtkit.autoscaler import Autoscaler
from lrtkit.scaling import Policy
from tests.models.group import GroupModel, QueueModel
from tests.simulation.clock import START
from tests.simulation.cloud import CloudTwin

TICK_S = 60
ENOUGH_TICKS = 120
"""Two hours, after which a group without jobs has been stopped, however patient the policy is."""

ONE_CHANGE = ([], ["patch"], ["patch", "start"], ["start"], ["stop"])


class Histories(RuleBasedStateMachine):
    """The real autoscaler, a step a minute, over numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = START
        self.group, self.queue = GroupModel(), QueueModel()
        self.most = 0

    @initialize(least=st.integers(0, 2), more=st.integers(0, 20), share=st.sampled_from([1.0, 4.0]))
    def begin(self, least: int, more: int, share: float) -> None:
        """Set the bounds, and how many jobs a replica is to have before there is another."""
        self.most = least + more
        policy = Policy(min_replicas=least, max_replicas=self.most, jobs_per_replica=share)
        store = CloudTwin(now=lambda: self.time_s).store
        self.scaler = Autoscaler(self.queue, store, self.group, group="workers", policy=policy)

    @rule(count=st.integers(1, 40))
    def submit(self, count: int) -> None:
        """Let jobs come."""
        self.queue.waiting += count

    @rule(count=st.integers(1, 20))
    def arrive(self, count: int) -> None:
        """Let some replicas begin to run, and take a job each."""
        for replica in [each for each in self.group.live if each.state != "running"][:count]:
            replica.state = "running"
        self._take()

    @rule(count=st.integers(1, 20))
    def finish(self, count: int) -> None:
        """Let some jobs end, and their replicas take others."""
        for replica in [each for each in self.group.live if each.busy][:count]:
            replica.busy = False
            self.queue.in_flight -= 1
        self._take()

    @rule(count=st.integers(1, 5))
    def lose(self, count: int) -> None:
        """Let some replicas be lost; their jobs wait again, and others are on their way."""
        for replica in self.group.live[:count]:
            self._give_back(replica.busy)
            replica.state, replica.busy = "allocating", False

    @rule()
    def settle(self) -> None:
        """Let the counts of the queue be right for once."""
        self.queue.read()

    @rule()
    def step(self) -> None:
        """Let the autoscaler look and act, on counts that are right."""
        self.queue.read()
        self._step()

    @invariant()
    def within_bounds(self) -> None:
        """Never more replicas than the policy allows."""
        assert self.group.replicas <= self.most

    @invariant()
    def no_work_is_lost(self) -> None:
        """Never fewer than are busy."""
        assert not self.group.lost_work

    def teardown(self) -> None:
        """Let everything be done: then nothing is left of the group."""
        if not hasattr(self, "scaler"):
            return
        self.queue.waiting = self.queue.in_flight = 0
        for replica in self.group.live:
            replica.state, replica.busy = "running", False
        for _ in range(ENOUGH_TICKS):
            self.step()
        if self.scaler.policy.min_replicas == 0:
            assert not self.group.is_started
            assert not self.group.live

    def _step(self) -> None:
        self.time_s += TICK_S
        self.group.calls.clear()
        busy_before = sum(each.busy for each in self.group.live)
        self.scaler.step(now=lambda: self.time_s)
        assert self.group.calls in ONE_CHANGE, f"opposite changes at once: {self.group.calls}"
        assert sum(each.busy for each in self.group.live) == busy_before

    def _take(self) -> None:
        for replica in self.group.live:
            if replica.state == "running" and not replica.busy and self.queue.waiting:
                replica.busy = True
                self.queue.waiting -= 1
                self.queue.in_flight += 1

    def _give_back(self, busy: bool) -> None:
        self.queue.in_flight -= busy
        self.queue.waiting += busy


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=40, stateful_step_count=30)
