"""A container group and a queue as numbers, with what the autoscaler asks of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lrtkit.salad import Group, Instance
from lrtkit.wire.sqs import Depth


@dataclass(eq=False)
class Replica:
    """An instance: on its way, or running with a job or without one."""

    id: str
    state: str = "allocating"
    busy: bool = False

    def described(self) -> dict[str, Any]:
        """Return it in the API's fields; a worker with a job has told SaladCloud so."""
        running = self.state == "running"
        cost = {"deletion_cost": int(self.busy)}
        return {"id": self.id, "machine_id": self.id, "state": self.state, "version": 1, "ready": running, **cost}


@dataclass
class GroupModel:
    """Has the methods of ``SaladClient`` that the autoscaler calls; ``calls`` are those that changed something."""

    replicas: int = 0
    is_started: bool = False
    live: list[Replica] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    lost_work: list[str] = field(default_factory=list)
    """Why work was lost that need not have been."""
    give_back: Callable[[int], None] = lambda _: None
    """Takes back so many jobs, of replicas that were removed at work."""

    _names: Any = field(default_factory=itertools.count)

    def get_group(self, name: str) -> Group:
        """Return the group."""
        running = sum(each.state == "running" for each in self.live)
        status = ("running" if running else "deploying") if self.is_started else "stopped"
        state = {"status": status, "instance_status_counts": {"running_count": running}}
        return Group.parse({"id": name, "name": name, "replicas": self.replicas, "current_state": state})

    def list_instances(self, _name: str) -> list[Instance]:
        """Return the instances."""
        return [Instance.parse(each.described()) for each in self.live]

    def patch_group(self, name: str, changes: Mapping[str, Any]) -> Group:
        """Set the number of replicas."""
        self.calls.append("patch")
        self.replicas = changes["replicas"]
        self._settle()
        return self.get_group(name)

    def start_group(self, _name: str) -> None:
        """Start the group."""
        self.calls.append("start")
        self.is_started = True
        self._settle()

    def stop_group(self, _name: str) -> None:
        """Stop the group, whatever runs."""
        self.calls.append("stop")
        self.is_started = False
        self._settle()

    def _settle(self) -> None:
        wanted = self.replicas if self.is_started else 0
        self.live.sort(key=lambda each: (each.busy, each.state == "running"), reverse=True)
        busy = sum(each.busy for each in self.live)
        if wanted < busy:
            self.lost_work.append(f"{busy} replicas were busy, and {wanted} were kept")
            self.give_back(sum(each.busy for each in self.live[wanted:]))
        del self.live[wanted:]
        self.live += [Replica(f"replica-{next(self._names)}") for _ in range(wanted - len(self.live))]


@dataclass
class QueueModel:
    """Has what the autoscaler asks of the queue; ``seen`` is what it is told, which may be of a minute ago."""

    name: str = "jobs.fifo"
    waiting: int = 0
    in_flight: int = 0
    seen: Depth = field(default_factory=lambda: Depth(0, 0, 0, 0))

    def read(self, *, lost: Collection[str] = ()) -> None:
        """Let the counts settle, all but those that are lost, which read as none."""
        counts = {name: 0 if name in lost else getattr(self, name) for name in ("waiting", "in_flight")}
        self.seen = Depth(**counts, delayed=0, dead=0)

    def depth(self) -> Depth:
        """Return the counts as they were when they last settled."""
        return self.seen
