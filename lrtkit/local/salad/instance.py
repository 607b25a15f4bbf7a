"""One instance: a replica's stay on one machine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lrtkit.local.salad.node import Node
from lrtkit.local.salad.times import stamp


class State(StrEnum):
    """Where an instance is in its life."""

    ALLOCATING = "allocating"
    DOWNLOADING = "downloading"
    CREATING = "creating"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(eq=False)
class Instance:
    """What is known of an instance, and the task that leads its life."""

    id: str
    machine_id: str
    node: Node
    version: int
    failures: int = 0
    """How many workers in a row ended badly before this one."""
    deletion_cost: int = 0
    leaving: bool = False
    """It is being stopped and will not come back."""
    state: State = State.ALLOCATING
    update_time: str = field(default_factory=stamp)
    task: asyncio.Task[None] | None = None
    running_since: float = 0

    def enter(self, state: State) -> None:
        """Change the state."""
        self.state = state
        self.update_time = stamp()
        if state is State.RUNNING:
            self.running_since = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether its worker runs."""
        return self.state is State.RUNNING

    @property
    def ran_s(self) -> float:
        """How long its worker has run."""
        return time.monotonic() - self.running_since

    def read(self) -> dict[str, Any]:
        """Return the instance as the public API shows it."""
        return {
            "id": self.id,
            "machine_id": self.machine_id,
            "state": self.state,
            "update_time": self.update_time,
            "version": self.version,
            "ready": self.is_running,
            "started": self.is_running,
            "deletion_cost": self.deletion_cost,
        }
