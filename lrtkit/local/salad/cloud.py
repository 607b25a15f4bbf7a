"""The local SaladCloud's whole state: groups, machines, nodes, settings, and what runs in the background."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Coroutine, Mapping
from typing import Any

from lrtkit.local.envfiles import ORGANIZATION, PROJECT
from lrtkit.local.folder import Folder
from lrtkit.local.salad.checks import check_changed, check_new
from lrtkit.local.salad.environment import container_environment
from lrtkit.local.salad.group import Group
from lrtkit.local.salad.instance import Instance
from lrtkit.local.salad.machines import Machines
from lrtkit.local.salad.node import Node
from lrtkit.local.salad.problems import Problem
from lrtkit.local.salad.replicas import Replicas
from lrtkit.local.salad.settings import Settings

_PREPARE_S = 1
_LOG_FILES = 200
_log = logging.getLogger(__name__)


class SaladCloud:
    """One organization with one project."""

    def __init__(self, settings: Settings, *, folder: Folder, url: str) -> None:
        self.settings = settings
        self.rng = random.Random(settings.seed)
        self.groups: dict[str, Replicas] = {}
        self.nodes: dict[str, tuple[Replicas, Instance]] = {}
        """All instances of which something is left, zombies too."""
        self._folder = folder
        self._url = url
        self._machines = Machines(self.rng)
        self._tasks: set[asyncio.Task[None]] = set()

    def set(self, changes: Mapping[str, Any]) -> Settings:
        """Change settings while the cloud runs."""
        self.settings = self.settings.changed(changes)
        if "seed" in changes:
            self.rng.seed(self.settings.seed)
        return self.settings

    def create(self, body: object) -> Replicas:
        """Make a group; its image is fetched first."""
        spec = check_new(body)
        if spec["name"] in self.groups:
            raise Problem(400, f"A container group {spec['name']} exists already")
        self._check_quota(spec["replicas"])
        replicas = Replicas(Group(spec), self)
        self.groups[spec["name"]] = replicas
        self.spawn(self._prepare(replicas))
        return replicas

    def change(self, replicas: Replicas, patch: object) -> None:
        """Apply a merge patch; replicas are restarted only for another image, command or environment."""
        group = replicas.group
        spec = check_changed(group.spec, patch)
        self._check_quota(spec["replicas"] - group.spec["replicas"])
        if group.change(spec):
            replicas.restart_all()
        replicas.reconcile()

    def delete(self, replicas: Replicas) -> None:
        """Forget the group at once, and stop what runs of it."""
        replicas.group.stop()
        replicas.reconcile()
        del self.groups[replicas.group.name]

    @property
    def replicas_used(self) -> int:
        """The replicas that all groups ask for, running or not."""
        return sum(replicas.group.spec["replicas"] for replicas in self.groups.values())

    def new_instance(self, group: Group, *, failures: int) -> Instance:
        """Return an instance on a machine that the group may use."""
        identity = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        node = Node(
            {**self._folder.marks, "SALAD_INSTANCE_ID": identity},
            log=self._folder.logs / f"{identity}.log",
            disk=self._folder.disks / identity[:8],
        )
        machine = self._machines.take(group.id)
        instance = Instance(identity, machine, node, group.version, failures=failures)
        self.nodes[identity] = self.groups[group.name], instance
        return instance

    def environment(self, group: Group, instance: Instance) -> dict[str, str]:
        """Return what the instance's worker finds in its environment."""
        node = {
            "SALAD_MACHINE_ID": instance.machine_id,
            "SALAD_INSTANCE_ID": instance.id,
            "SALAD_CONTAINER_GROUP_ID": group.id,
            "SALAD_CONTAINER_GROUP_NAME": group.name,
            "SALAD_PROJECT_ID": str(uuid.uuid5(uuid.NAMESPACE_DNS, PROJECT)),
            "SALAD_PROJECT_NAME": PROJECT,
            "SALAD_ORGANIZATION_ID": str(uuid.uuid5(uuid.NAMESPACE_DNS, ORGANIZATION)),
            "SALAD_ORGANIZATION_NAME": ORGANIZATION,
            "LRT_IMDS_URL": f"{self._url}/nodes/{instance.id}",
        }
        return container_environment(group.container["environment_variables"], node=node)

    def exclude(self, group: Group, instance: Instance) -> None:
        """Keep the instance's machine from the group."""
        self._machines.exclude(group.id, instance.machine_id)

    def bury(self, instance: Instance) -> None:
        """Take back the machine of an instance of which nothing is left."""
        instance.node.wipe()
        self._machines.give_back(instance.machine_id)
        self.nodes.pop(instance.id, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in the background; a failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def trim_logs(self) -> None:
        """Keep the logs from filling the disk."""
        for _, instance in self.nodes.values():
            instance.node.trim_log()
        oldest_first = sorted(self._folder.logs.glob("*.log"), key=lambda log: log.stat().st_mtime)
        for log in oldest_first[:-_LOG_FILES]:
            log.unlink(missing_ok=True)

    async def close(self) -> None:
        """Let nothing start any more; what runs is for the caller to kill."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _prepare(self, replicas: Replicas) -> None:
        await asyncio.sleep(min(_PREPARE_S, self.settings.startup_s))
        replicas.group.prepared = True
        replicas.reconcile()

    def _check_quota(self, more: int) -> None:
        quota = self.settings.replicas_quota
        if more > 0 and self.replicas_used + more > quota:
            asked = f"{self.replicas_used} are taken and {more} more asked for"
            raise Problem(400, f"The quota is {quota} replicas; {asked}")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a background task failed", exc_info=error)
