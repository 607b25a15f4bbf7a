"""A container group under the autoscaler: jobs come, replicas come late, work, are lost and are done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from lrtkit.autoscaler import Autoscaler
from lrtkit.scaling import Policy
from tests.models.group import GroupModel, QueueModel
from tests.simulation.clock import START
from tests.simulation.cloud import CloudTwin

TICK_S = 60
LAST_TICK_S = 300
ENOUGH_TICKS = 24
"""Two hours, after which a group without jobs has been stopped, however patient the policy is."""

ONE_CHANGE: tuple[list[str], ...] = ([], ["patch"], ["patch", "start"], ["start"], ["stop"])


@dataclass(frozen=True)
class Minute:
    """What happens within a minute: how many jobs come, replicas begin to run, jobs end, and replicas are lost."""

    submit: int
    arrive: int
    finish: int
    lose: int


MINUTES = st.lists(
    st.builds(
        Minute,
        submit=st.sampled_from([0, 0, 0, 1, 5, 60]),
        arrive=st.integers(0, 20),
        finish=st.integers(0, 20),
        lose=st.sampled_from([0, 0, 0, 1, 5]),
    ),
    min_size=5,
    max_size=40,
)
POLICIES = st.builds(
    lambda least, more, share: Policy(min_replicas=least, max_replicas=least + more, jobs_per_replica=share),
    st.sampled_from([0, 0, 2]),
    st.integers(0, 20),
    st.sampled_from([1.0, 4.0]),
)


@dataclass
class Scene:
    """The real autoscaler, a step a minute, over numbers."""

    policy: Policy
    group: GroupModel = field(default_factory=GroupModel)
    queue: QueueModel = field(default_factory=QueueModel)
    time_s: float = START

    def __post_init__(self) -> None:
        store = CloudTwin(now=lambda: self.time_s).store
        self.scaler = self.autoscaler(self.queue, store, self.group)

    def autoscaler(self, *parts: Any) -> Autoscaler:
        """Return an autoscaler of this group over queue, bucket and SaladCloud."""
        return Autoscaler(*parts, group="workers", policy=self.policy, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Let time pass in which nothing happens."""
        self.time_s += seconds

    def live(self, minute: Minute) -> None:
        """Let a minute pass."""
        self.queue.waiting += minute.submit
        for replica in self.group.live[: minute.lose]:
            self.queue.in_flight -= replica.busy
            self.queue.waiting += replica.busy
            replica.state, replica.busy = "allocating", False
        for replica in [each for each in self.group.live if each.busy][: minute.finish]:
            replica.busy = False
            self.queue.in_flight -= 1
        for replica in [each for each in self.group.live if each.state != "running"][: minute.arrive]:
            replica.state = "running"
        self._take()

    def step(self, tick_s: float = TICK_S, *, lost: Collection[str] | None = ()) -> None:
        """Let the autoscaler look and act, and see that it keeps the rules.

        Counts that are ``lost`` read as none; where that is None the reading is that of the step before.
        """
        self.time_s += tick_s
        if lost is not None:
            self.queue.read(lost=lost)
        self.group.calls.clear()
        self.scaler.step(now=lambda: self.time_s)
        assert self.group.calls in ONE_CHANGE, f"opposite changes at once: {self.group.calls}"
        assert self.group.replicas <= self.policy.max_replicas, "more replicas than the policy allows"
        assert not self.group.lost_work, self.group.lost_work

    def finish(self) -> None:
        """Let all jobs be done, and then so much time pass that a group without jobs is stopped."""
        while self.queue.waiting or self.queue.in_flight:
            self.live(Minute(0, 20, 20, 0))
            self.step(LAST_TICK_S)
        for _ in range(ENOUGH_TICKS):
            self.live(Minute(0, 20, 0, 0))
            self.step(LAST_TICK_S)

    def take_back(self, jobs: int) -> None:
        """Let the jobs of replicas that were removed wait again."""
        self.queue.waiting += jobs
        self.queue.in_flight -= jobs

    def _take(self) -> None:
        for replica in self.group.live:
            if replica.state == "running" and not replica.busy and self.queue.waiting:
                replica.busy = True
                self.queue.waiting -= 1
                self.queue.in_flight += 1
