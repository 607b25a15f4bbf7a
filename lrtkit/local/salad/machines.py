"""The machines that nodes are taken from."""

from __future__ import annotations

import random
import time
import uuid

_POOL = 600  # more than the most replicas that one group can have
_EXCLUDED_S = 48 * 3600


class Machines:
    """Gives each node a machine of its own, never one that its group has just been moved away from."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._free = [self._new() for _ in range(_POOL)]
        self._excluded: dict[tuple[str, str], float] = {}

    def take(self, group_id: str) -> str:
        """Return a free machine; one more is made where none is left."""
        suitable = [machine for machine in self._free if not self._is_excluded(group_id, machine)]
        if not suitable:
            return self._new()
        machine = self._rng.choice(suitable)
        self._free.remove(machine)
        return machine

    def give_back(self, machine: str) -> None:
        """Make the machine free for other nodes."""
        self._free.append(machine)

    def exclude(self, group_id: str, machine: str) -> None:
        """Keep the machine from this group for 48 hours."""
        self._excluded[group_id, machine] = time.monotonic() + _EXCLUDED_S

    def _is_excluded(self, group_id: str, machine: str) -> bool:
        return self._excluded.get((group_id, machine), 0) > time.monotonic()

    def _new(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
