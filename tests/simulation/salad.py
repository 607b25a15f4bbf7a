"""A twin of a SaladCloud container group, whose replicas start late, are lost, come back as zombies or are removed."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greenlet import getcurrent

from lrtkit.salad.answers import Group, Instance
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import Unavailable
from tests.simulation.clock import START
from tests.simulation.history import History
from tests.simulation.loop import Loop
from tests.simulation.machine import Call
from tests.simulation.replica import Replica

GROUP = "workers"

STARTED_WITHIN_S = ((0.0, 180), (0.5, 600), (0.8, 1200), (0.9, 2400), (1.0, 5400))
"""The published distribution of start-up times: shares, and the seconds within which they had started."""

NOTICED_WITHIN_S = (20.0, 180.0)
"""How long it takes until a lost replica is replaced."""

GRACE_S = 30.0
"""How long a replica that is removed has from its stop signal to its end."""


@dataclass(frozen=True)
class Hazard:
    """How replicas are lost: on average after ``mean_s``; nothing is lost after ``ends``, none starts in a drought."""

    mean_s: float = float("inf")
    ends: float = float("inf")
    drought: tuple[float, float] = (0.0, 0.0)
    lease_s: float = 120.0


@dataclass(eq=False)
class Place:
    """The place of one replica: it waits for a machine, runs, or stops."""

    id: str
    state: str = "allocating"
    replica: Replica | None = None

    @property
    def cost(self) -> int:
        """The deletion cost: what runs nothing yet goes first."""
        return self.replica.metadata.cost if self.replica else -1


class SaladTwin:
    """Has the methods of ``SaladClient`` that the autoscaler calls; ``launch`` starts a replica on a new machine."""

    def __init__(
        self, loop: Loop, launch: Callable[[str], Replica], *, hazard: Hazard, rng: random.Random, history: History
    ) -> None:
        self._loop = loop
        self._launch = launch
        self._hazard = hazard
        self._rng = rng
        self._history = history
        self._names = itertools.count(1)
        self.replicas = 0
        self.is_started = False
        self.places: list[Place] = []

    # What the autoscaler calls

    def get_group(self, _: str) -> Group:
        """Return the group."""
        self._answer()
        return Group.parse(self._described())

    def patch_group(self, _: str, changes: dict[str, Any]) -> Group:
        """Set the number of replicas."""
        self._answer()
        self.replicas = changes["replicas"]
        self._history("salad", "scaled", replicas=self.replicas)
        self._settle()
        return Group.parse(self._described())

    def start_group(self, _: str) -> None:
        """Start the group."""
        self._answer()
        self.is_started = True
        self._history("salad", "started", replicas=self.replicas)
        self._settle()

    def stop_group(self, _: str) -> None:
        """Stop the group."""
        self._answer()
        self.is_started = False
        self._history("salad", "stopped")
        self._settle()

    def list_instances(self, _: str) -> list[Instance]:
        """Return the instances, those that are stopping too."""
        self._answer()
        return [Instance.parse(_instance(place)) for place in self.places]

    # What happens to replicas

    def _settle(self) -> None:
        """Bring the number of replicas to what is wanted, the lowest deletion cost first where there are too many."""
        wanted = self.replicas if self.is_started else 0
        live = [place for place in self.places if place.state != "stopping"]
        for _ in range(wanted - len(live)):
            place = Place(f"node-{next(self._names)}")
            self.places.append(place)
            self._loop.create_task(self._live(place))
        doomed = sorted(live, key=lambda place: place.cost)[: max(0, len(live) - wanted)]
        for place in doomed:
            self._remove(place, [each for each in live if each not in doomed])

    def _remove(self, place: Place, kept: list[Place]) -> None:
        self._history("salad", "removed", node=place.id, cost=place.cost, kept=[(each.id, each.cost) for each in kept])
        place.state = "stopping"
        if place.replica:
            place.replica.stop()
            self._loop.call_later(GRACE_S, place.replica.machine.lose)
            self._loop.call_later(GRACE_S, self._gone, place)
        else:
            self.places.remove(place)

    def _gone(self, place: Place) -> None:
        if place in self.places:
            self.places.remove(place)
            self._settle()

    async def _live(self, place: Place) -> None:
        """Let a replica start, late, and be lost some day."""
        await asyncio.sleep(self._start_up_s())
        if place.state == "stopping":
            return
        place.state = "running"
        place.replica = replica = self._launch(place.id)
        self._history("salad", "runs", node=place.id)
        replica.machine.on_lost = lambda: self._notice(place)
        await asyncio.sleep(self._rng.expovariate(1 / self._hazard.mean_s))
        if self._loop.now < self._hazard.ends and place.state == "running" and not replica.machine.is_lost:
            self._interrupt(place, replica)

    def _interrupt(self, place: Place, replica: Replica) -> None:
        kind = self._rng.choices(("node gone", "zombie", "stop signal", "short pause"), (4, 3, 1, 1))[0]
        self._history.fault(place.id, kind)
        if kind == "node gone":
            replica.machine.lose()
        elif kind == "stop signal":
            replica.stop()
            self._loop.call_later(GRACE_S, replica.machine.lose)
        else:
            replica.machine.freeze()
            pause_s = self._hazard.lease_s * self._rng.uniform(*((0.1, 0.9) if kind == "short pause" else (1.0, 30.0)))
            self._loop.call_later(pause_s, self._thaw, place, replica)
            if kind == "zombie":
                self._notice(place)

    def _thaw(self, place: Place, replica: Replica) -> None:
        """Let a frozen replica go on; a zombie, which has been replaced, for a few hours at the most."""
        replica.machine.thaw()
        if place not in self.places:
            self._loop.call_later(self._rng.uniform(60, 4 * 3600), replica.machine.lose)

    def _notice(self, place: Place) -> None:
        self._loop.call_later(self._rng.uniform(*NOTICED_WITHIN_S), self._gone, place)

    def _start_up_s(self) -> float:
        share = self._rng.random()
        for (low, fast_s), (high, slow_s) in itertools.pairwise(STARTED_WITHIN_S):
            if share <= high:
                start_up_s = fast_s + (share - low) / (high - low) * (slow_s - fast_s)
                break
        begins, ends = self._hazard.drought
        return max(start_up_s, ends - self._loop.now) if begins <= self._loop.now < ends else start_up_s

    def _answer(self) -> None:
        call = getcurrent()
        assert isinstance(call, Call)
        call.wait(self._rng.uniform(0.1, 0.5))
        if self._loop.now < self._hazard.ends and self._rng.random() < 0.01:
            self._history.fault("salad", "API error")
            raise Unavailable("the API of SaladCloud answers with HTML")

    def _described(self) -> dict[str, Any]:
        counts = {f"{state}_count": 0 for state in ("allocating", "creating", "running", "stopping")}
        for place in self.places:
            counts[f"{place.state}_count"] += 1
        deploying = counts["running_count"] == 0 and self.replicas
        status = ("deploying" if deploying else "running") if self.is_started else "stopped"
        state = {"status": status, "instance_status_counts": counts}
        return {"id": "g", "name": GROUP, "replicas": self.replicas, "current_state": state}


def _instance(place: Place) -> dict[str, Any]:
    return {
        "id": place.id,
        "machine_id": place.id,
        "state": place.state,
        "update_time": iso(START),
        "started": place.state == "running",
        "ready": place.state == "running",
        "deletion_cost": max(0, place.cost),
    }
