"""Interruptions of replicas: on demand, or at random at a rate."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from lrtkit.local.salad.cloud import SaladCloud
from lrtkit.local.salad.instance import Instance
from lrtkit.local.salad.problems import Problem
from lrtkit.local.salad.replicas import Replicas
from lrtkit.local.salad.settings import Kind
from lrtkit.local.salad.times import stamp

_TICK_S = 0.25
_TRIM_EVERY = 8  # ticks
_KEPT = 10_000

Target = tuple[Replicas, Instance]


class Interruptions:
    """Makes interruptions happen, and remembers them."""

    def __init__(self, cloud: SaladCloud) -> None:
        self.log: deque[dict[str, str]] = deque(maxlen=_KEPT)
        self._cloud = cloud

    def interrupt(self, kind: Kind, instance_id: str | None = None) -> dict[str, str]:
        """Interrupt that instance, or one that is running; return the line of the log."""
        target = self._named(instance_id) if instance_id else self._any(kind)
        return self._hit(kind, target)

    async def happen(self) -> None:
        """Let interruptions come to each running replica at the rate of the settings."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1
            self._tick()
            if ticks % _TRIM_EVERY == 0:
                self._cloud.trim_logs()

    def _tick(self) -> None:
        settings, rng = self._cloud.settings, self._cloud.rng
        chance = 1 - math.exp(-settings.interruptions_per_hour * _TICK_S / 3600)
        for target in self._running():
            if chance and rng.random() < chance:
                kind = rng.choices([Kind(kind) for kind in settings.kinds], list(settings.kinds.values()))[0]
                self._hit(kind, target)

    def _hit(self, kind: Kind, target: Target) -> dict[str, str]:
        replicas, instance = target
        {Kind.GONE: replicas.lose, Kind.ZOMBIE: replicas.haunt, Kind.STOP: replicas.replace}[kind](instance)
        line = {
            "at": stamp(),
            "kind": str(kind),
            "instance_id": instance.id,
            "machine_id": instance.machine_id,
            "group": replicas.group.name,
        }
        self.log.append(line)
        return line

    def _named(self, instance_id: str) -> Target:
        for target in self._running():
            if target[1].id == instance_id:
                return target
        raise Problem(404, f"There is no running instance {instance_id}")

    def _any(self, kind: Kind) -> Target:
        """A stop takes the one with the lowest deletion cost, as a scale-in does; the others ask nobody."""
        running = self._running()
        if not running:
            raise Problem(404, "No instance is running")
        if kind is Kind.STOP:
            return min(running, key=lambda target: target[1].deletion_cost)
        return self._cloud.rng.choice(running)

    def _running(self) -> list[Target]:
        return [(group, instance) for group in self._cloud.groups.values() for instance in group.running]
