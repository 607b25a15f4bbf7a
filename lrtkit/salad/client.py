"""The calls that the kit makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lrtkit.salad.answers import GpuClass, Group, GroupStatus, Instance, InstanceState, Quota, items
from lrtkit.salad.door import Door
from lrtkit.salad.settings import SaladSettings
from lrtkit.wire.errors import BadInput, Conflict, NotFound, Unavailable
from lrtkit.wire.settings import read_env_file

USD_PER_CPU_HOUR, USD_PER_GB_HOUR = 0.005, 0.001
"""What replicas without a GPU cost at the most (November 2026); of GPUs the live price is asked for."""

DEAREST_USD_PER_HOUR = 0.5
"""An RTX 5090 at high priority in September 2026: what a GPU counts for whose price is not told."""


class SaladClient:
    """Calls of one organization and project; what can be repeated without harm is repeated a few times."""

    def __init__(self, settings: SaladSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self._door = Door(settings, sleep=sleep)

    @classmethod
    def from_env_file(cls, path: str | Path) -> SaladClient:
        """Return a client for the place and the key of an env file such as ``.lrt/autoscaler.env``."""
        return cls(SaladSettings.from_env(read_env_file(path)))

    def create_group(self, spec: Mapping[str, Any]) -> Group:
        """Create a container group from the API's own fields; one whose answer was lost is read back."""
        try:
            return self._group("POST", self._groups(), body=spec, repeat=False)
        except Unavailable:
            found = self._found(spec["name"])
            if found is None:
                raise
            return found

    def get_group(self, name: str) -> Group:
        """Read a container group."""
        return self._group("GET", self._groups(name))

    def list_groups(self) -> list[Group]:
        """Read all container groups of the project."""
        return [Group.parse(item) for item in items(self._door.read("GET", self._groups(), has="items"), "items")]

    def patch_group(self, name: str, changes: Mapping[str, Any]) -> Group:
        """Change a container group by a merge patch; another image, command or environment restarts all replicas."""
        return self._group("PATCH", self._groups(name), body=changes)

    def start_group(self, name: str) -> None:
        """Start a container group; one that somebody else has started meanwhile is started."""
        try:
            self._door.call("POST", self._groups(name, "start"))
        except (BadInput, Conflict):
            if self.get_group(name).status not in {GroupStatus.DEPLOYING, GroupStatus.RUNNING}:
                raise

    def stop_group(self, name: str) -> None:
        """Stop a container group; spending has ended when its instance list is empty."""
        try:
            self._door.call("POST", self._groups(name, "stop"))
        except (BadInput, Conflict):
            if self.get_group(name).status is not GroupStatus.STOPPED:
                raise

    def delete_group(self, name: str) -> None:
        """Delete a container group, with what runs of it; one whose answer was lost is looked for."""
        try:
            self._door.call("DELETE", self._groups(name), repeat=False)
        except Unavailable:
            if self._found(name):
                raise

    def list_instances(self, name: str) -> list[Instance]:
        """Read all instances of a container group, those that are stopping too."""
        answer = self._door.read("GET", self._groups(name, "instances"), has="instances")
        return [Instance.parse(item) for item in items(answer, "instances")]

    def reallocate(self, name: str, instance_id: str) -> None:
        """Move an instance to another machine; its present one is excluded for 48 hours."""
        try:
            self._door.call("POST", self._groups(name, "instances", instance_id, "reallocate"), repeat=False)
        except Unavailable:
            stays = {each.id for each in self.list_instances(name) if each.state is not InstanceState.STOPPING}
            if instance_id in stays:
                raise

    def set_deletion_cost(self, name: str, instance_id: str, cost: int) -> Instance:
        """Set what counts on a scale-in, when the lowest goes first."""
        path = self._groups(name, "instances", instance_id)
        return Instance.parse(self._door.read("PATCH", path, has="state", body={"deletion_cost": cost}))

    def quota(self) -> Quota:
        """Read the quota of replicas; also the way to check the key."""
        return Quota.parse(self._door.read("GET", f"{self._organization()}/quotas", has="container_groups_quotas"))

    def gpu_classes(self) -> list[GpuClass]:
        """Read the kinds of GPU with today's prices."""
        answer = self._door.read("GET", f"{self._organization()}/gpu-classes", has="items")
        return [GpuClass.parse(item) for item in items(answer, "items")]

    def usd_per_hour(self, group: Group) -> float:
        """Return today's price of one replica: of its dearest GPU class, or an estimate for one without a GPU.

        A class whose price is not told counts as the dearest there is, so that no limit is overrun unseen.
        """
        if not group.gpu_classes:
            return USD_PER_CPU_HOUR * group.cpu + USD_PER_GB_HOUR * group.memory_mb / 1024
        offered = {each.id: each.prices for each in self.gpu_classes()}
        dearest = max([DEAREST_USD_PER_HOUR, *(price for prices in offered.values() for price in prices.values())])
        return max(offered.get(gpu, {}).get(group.priority, dearest) for gpu in group.gpu_classes)

    def _group(self, method: str, path: str, **more: Any) -> Group:
        return Group.parse(self._door.read(method, path, has="current_state", **more))

    def _found(self, name: str) -> Group | None:
        try:
            return self.get_group(name)
        except NotFound:
            return None

    def _organization(self) -> str:
        return f"/organizations/{quote(self.settings.organization, safe='')}"

    def _groups(self, *parts: str) -> str:
        path = f"{self._organization()}/projects/{quote(self.settings.project, safe='')}/containers"
        return "/".join([path, *(quote(part, safe="") for part in parts)])
