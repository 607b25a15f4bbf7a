"""One container group: what was asked for, and how it is read back."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection
from typing import Any

from lrtkit.local.envfiles import ORGANIZATION, PROJECT
from lrtkit.local.salad.instance import Instance, State
from lrtkit.local.salad.times import stamp

_COUNTED_AS = {State.DOWNLOADING: State.CREATING}
"""The API has a count for each other state."""

_RESTARTING = ("image", "command", "environment_variables")


class Group:
    """A specification as last patched, and whether it was started."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.id = str(uuid.uuid4())
        self.spec = spec
        self.version = 1
        self.created = self.updated = self.started_at = self.finished_at = stamp()
        self.prepared = False
        """The image has been fetched; only then can replicas be allocated."""
        self.started = bool(spec["autostart_policy"])
        self.has_run = False
        self.exit_codes: list[int] = []
        """Of replicas that ended and are not to come again."""
        self.trouble = ""
        """How the last worker failed, as long as the group is what it was then."""

    @property
    def name(self) -> str:
        """The name by which calls know the group."""
        return str(self.spec["name"])

    @property
    def wanted(self) -> int:
        """How many replicas there should be now."""
        return max(0, self.spec["replicas"] - len(self.exit_codes)) if self.started and self.prepared else 0

    @property
    def container(self) -> dict[str, Any]:
        """The container, with the fields that a write may leave out."""
        given = {name: value for name, value in self.spec["container"].items() if name != "priority"}
        defaults: dict[str, Any] = {"command": [], "environment_variables": {}, "logging": {}}
        return {**defaults, **given, "resources": {"gpu_classes": [], **given["resources"]}}

    def change(self, spec: dict[str, Any]) -> bool:
        """Take a new specification; tell whether the replicas have to be restarted for it."""
        before = self.container
        self.spec = spec
        self.updated = stamp()
        restarts = any(before.get(field) != self.container.get(field) for field in _RESTARTING)
        if restarts:
            self.version += 1
            self.trouble = ""
        return restarts

    def start(self) -> None:
        """Wish for replicas."""
        if not self.started:
            self.started, self.has_run, self.exit_codes = True, False, []
            self.started_at = stamp()

    def stop(self) -> None:
        """Wish for none."""
        if self.started:
            self.started = False
            self.finished_at = stamp()

    def read(self, instances: Collection[Instance]) -> dict[str, Any]:
        """Return the group as the public API shows it."""
        return {
            **{name: value for name, value in self.spec.items() if name != "container"},
            "id": self.id,
            "display_name": self.spec.get("display_name", self.name),
            "organization_name": ORGANIZATION,
            "project_name": PROJECT,
            "container": self.container,
            "priority": self.spec["container"].get("priority", "high"),
            "current_state": self._state(instances),
            "country_codes": self.spec.get("country_codes", []),
            "create_time": self.created,
            "update_time": self.updated,
            "pending_change": any(instance.version != self.version for instance in instances),
            "version": self.version,
            "scaling-actions": [],
            "scheduled-scaling-enabled": False,
        }

    def _state(self, instances: Collection[Instance]) -> dict[str, Any]:
        counts = Counter(_COUNTED_AS.get(instance.state, instance.state) for instance in instances)
        return {
            "status": self._status(),
            "description": self.trouble,
            "start_time": self.started_at,
            "finish_time": self.finished_at,
            "instance_status_counts": {f"{state}_count": counts[state] for state in State if state not in _COUNTED_AS},
        }

    def _status(self) -> str:
        if not self.prepared:
            return "pending"
        if not self.started:
            return "stopped"  # said at once, while instances may still be stopping
        if self.exit_codes and not self.wanted:
            return "failed" if any(self.exit_codes) else "succeeded"
        return "running" if self.has_run else "deploying"
