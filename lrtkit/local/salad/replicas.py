"""The replicas of one group: as many as wanted, each led through its life by one task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from lrtkit.local.salad.environment import WORKER
from lrtkit.local.salad.group import Group
from lrtkit.local.salad.instance import Instance, State
from lrtkit.local.salad.settings import Settings

_RESTART_S = 1
_BACKOFF_S = 60
_SOUND_S = 60
"""A worker that ran so long was able to start; its end counts as the first failure."""


class Site(Protocol):
    """What the replicas need of the SaladCloud around them."""

    settings: Settings

    def new_instance(self, group: Group, *, failures: int) -> Instance:
        """Return an instance on a machine that the group may use."""

    def environment(self, group: Group, instance: Instance) -> dict[str, str]:
        """Return what the instance's worker finds in its environment."""

    def exclude(self, group: Group, instance: Instance) -> None:
        """Keep the instance's machine from the group."""

    def bury(self, instance: Instance) -> None:
        """Take back the machine of an instance of which nothing is left."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in the background; a failure is logged."""


class Replicas:
    """Keeps a group's instances in step with what the group wants."""

    def __init__(self, group: Group, site: Site) -> None:
        self.group = group
        self.instances: dict[str, Instance] = {}
        self._site = site

    @property
    def running(self) -> list[Instance]:
        """The instances whose worker runs."""
        return [instance for instance in self.instances.values() if instance.is_running]

    @property
    def staying(self) -> list[Instance]:
        """The instances that are not on their way out."""
        return [instance for instance in self.instances.values() if not instance.leaving]

    def reconcile(self) -> None:
        """Add or stop instances until there are as many as wanted."""
        surplus = len(self.staying) - self.group.wanted
        for _ in range(-surplus):
            self._add(failures=0)
        for instance in sorted(self.staying, key=_worth)[: max(0, surplus)]:
            self.stop(instance)

    def stop(self, instance: Instance) -> None:
        """Stop for good: SIGTERM, grace, SIGKILL."""
        instance.leaving = True
        instance.enter(State.STOPPING)
        self._lead(instance, self._stopped(instance))

    def replace(self, instance: Instance) -> None:
        """Stop one for good while another one starts."""
        self.stop(instance)
        self.reconcile()

    def recreate(self, instance: Instance) -> None:
        """Start the container afresh on the same machine."""
        instance.enter(State.STOPPING)
        self._lead(instance, self._again(instance, prepare=instance.node.wipe))

    def restart(self, instance: Instance) -> None:
        """Start the container again on the same machine, with what it has stored."""
        instance.enter(State.STOPPING)
        self._lead(instance, self._again(instance, prepare=lambda: None))

    def reallocate(self, instance: Instance) -> None:
        """Stop here and begin on another machine; this one is excluded for 48 hours."""
        self._site.exclude(self.group, instance)
        self.replace(instance)

    def lose(self, instance: Instance) -> None:
        """The node is gone without a word: kill all of it at once and begin on another machine."""
        instance.node.kill()
        self._cut_off(instance, self._site.spawn(self._buried(instance)))

    def haunt(self, instance: Instance) -> None:
        """The node is cut off: it stands still, and runs on for a while beside its replacement."""
        instance.node.freeze()
        self._cut_off(instance, self._site.spawn(self._zombie(instance)))

    def restart_all(self) -> None:
        """Bring all replicas to the present version; those that wait after failures of another begin at once."""
        for instance in self.staying:
            if instance.is_running:
                self.recreate(instance)
            elif instance.failures:
                instance.failures = 0
                self._lead(instance, self._live(instance))

    def _add(self, *, failures: int) -> None:
        instance = self._site.new_instance(self.group, failures=failures)
        self.instances[instance.id] = instance
        self._lead(instance, self._live(instance))

    def _lead(self, instance: Instance, life: Coroutine[Any, Any, None]) -> None:
        """Give the instance another life from here on."""
        if instance.task:
            instance.task.cancel()
        instance.task = self._site.spawn(life)

    def _cut_off(self, instance: Instance, task: asyncio.Task[None]) -> None:
        if instance.task:
            instance.task.cancel()
        instance.task = task
        self._site.exclude(self.group, instance)
        del self.instances[instance.id]
        self.reconcile()

    async def _live(self, instance: Instance) -> None:
        phase_s = self._site.settings.startup_s / 3
        if instance.state is State.ALLOCATING:
            await asyncio.sleep(phase_s + _backoff_s(instance.failures))
            instance.enter(State.DOWNLOADING)
            await asyncio.sleep(phase_s)
            instance.enter(State.CREATING)
        await asyncio.sleep(phase_s)
        while (code := await self._work(instance)) == 0 and self.group.spec["restart_policy"] == "always":
            instance.enter(State.CREATING)
            await asyncio.sleep(_RESTART_S)
        self._ended(instance, code)

    async def _work(self, instance: Instance) -> int:
        instance.version = self.group.version
        instance.enter(State.RUNNING)
        self.group.has_run = True
        command = self.group.container["command"] or WORKER
        return await instance.node.run(command, self._site.environment(self.group, instance))

    def _ended(self, instance: Instance, code: int) -> None:
        """A worker that failed goes on elsewhere, after longer and longer waits; one that is done does not."""
        policy = self.group.spec["restart_policy"]
        self._forget(instance)
        if code == 0 or policy == "never":
            self.group.exit_codes.append(code)
            return
        self.group.trouble = f"the last worker that failed left with {code} and said: {instance.node.last_line}"
        self._site.exclude(self.group, instance)
        if len(self.staying) < self.group.wanted:
            self._add(failures=0 if instance.ran_s > _SOUND_S else instance.failures + 1)

    async def _again(self, instance: Instance, *, prepare: Callable[[], None]) -> None:
        await instance.node.end(self._site.settings.grace_s)
        prepare()
        instance.enter(State.CREATING)
        await self._live(instance)

    async def _stopped(self, instance: Instance) -> None:
        await instance.node.end(self._site.settings.grace_s)
        self._forget(instance)
        self.reconcile()

    async def _zombie(self, instance: Instance) -> None:
        await asyncio.sleep(self._site.settings.zombie_s)
        instance.node.thaw()
        await asyncio.sleep(self._site.settings.linger_s)
        await self._buried(instance)

    async def _buried(self, instance: Instance) -> None:
        await instance.node.destroy()
        self._site.bury(instance)

    def _forget(self, instance: Instance) -> None:
        del self.instances[instance.id]
        self._site.bury(instance)


def _worth(instance: Instance) -> tuple[int, bool, float]:
    """Sort by what would be lost: the deletion cost first, then whether it runs at all, then for how long."""
    return instance.deletion_cost, instance.is_running, instance.running_since and instance.ran_s


def _backoff_s(failures: int) -> float:
    return min(_BACKOFF_S, 2.0 ** (failures - 1)) if failures else 0.0
