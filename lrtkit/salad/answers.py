"""What the API answers, as far as the kit needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lrtkit.wire.clock import seconds_of


class GroupStatus(StrEnum):
    """What a container group says of itself; ``stopped`` can be said while instances still stop."""

    PENDING = "pending"
    DEPLOYING = "deploying"
    RUNNING = "running"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> GroupStatus:
        return cls.UNKNOWN


class InstanceState(StrEnum):
    """Where an instance is in its life; only ``running`` is paid for."""

    ALLOCATING = "allocating"
    DOWNLOADING = "downloading"
    CREATING = "creating"
    RUNNING = "running"
    STOPPING = "stopping"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> InstanceState:
        return cls.UNKNOWN


@dataclass(frozen=True)
class Counts:
    """How many instances of a group are in each state."""

    allocating: int
    creating: int
    running: int
    stopping: int


@dataclass(frozen=True)
class Group:
    """A container group as read; its environment holds keys and does not show."""

    id: str
    name: str
    status: GroupStatus
    description: str
    replicas: int
    counts: Counts
    image: str
    environment: Mapping[str, str] = field(repr=False)
    cpu: int
    memory_mb: int
    disk_bytes: int
    gpu_classes: tuple[str, ...]
    priority: str
    version: int
    pending_change: bool

    def __str__(self) -> str:
        run = f"{self.counts.running} of {self.replicas} replicas running"
        described = f"; {self.description}" if self.description else ""
        return f"container group {self.name}: {self.status}, {run}{described}"

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Group:
        """Read the API's JSON."""
        container, state = _part(answer, "container"), _part(answer, "current_state")
        resources = _part(container, "resources")
        return cls(
            id=answer.get("id", ""),
            name=answer.get("name", ""),
            status=GroupStatus(state.get("status", "")),
            description=state.get("description") or "",
            replicas=answer.get("replicas") or 0,
            counts=_counts(state),
            image=container.get("image", ""),
            environment=_part(container, "environment_variables"),
            cpu=resources.get("cpu") or 0,
            memory_mb=resources.get("memory") or 0,
            disk_bytes=resources.get("storage_amount") or 0,
            gpu_classes=tuple(resources.get("gpu_classes") or ()),
            priority=answer.get("priority") or "",
            version=answer.get("version") or 0,
            pending_change=bool(answer.get("pending_change")),
        )


@dataclass(frozen=True)
class Instance:
    """An instance of a container group; ``updated_at`` is when its state changed, in seconds since 1970."""

    id: str
    machine_id: str
    state: InstanceState
    updated_at: float | None
    version: int
    ready: bool
    started: bool
    deletion_cost: int

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Instance:
        """Read the API's JSON."""
        return cls(
            id=answer.get("id", ""),
            machine_id=answer.get("machine_id", ""),
            state=InstanceState(answer.get("state", "")),
            updated_at=_seconds(answer.get("update_time")),
            version=answer.get("version") or 0,
            ready=bool(answer.get("ready")),
            started=bool(answer.get("started")),
            deletion_cost=answer.get("deletion_cost") or 0,
        )


@dataclass(frozen=True)
class Quota:
    """How many replicas all groups together may ask for, and how many they do, running or not."""

    replicas: int
    replicas_used: int

    def __str__(self) -> str:
        return f"{self.replicas_used} of {self.replicas} replicas are taken"

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Quota:
        """Read the API's JSON."""
        quotas = _part(answer, "container_groups_quotas")
        return cls(quotas.get("container_replicas_quota") or 0, quotas.get("container_replicas_used") or 0)


@dataclass(frozen=True)
class GpuClass:
    """A kind of GPU, and its price in dollars an hour for each priority."""

    id: str
    name: str
    prices: Mapping[str, float]

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> GpuClass:
        """Read the API's JSON, in which a price is a text."""
        prices = {str(each.get("priority")): _price(each.get("price")) for each in items(answer, "prices")}
        known = {priority: price for priority, price in prices.items() if price is not None}
        return cls(answer.get("id", ""), answer.get("name", ""), known)


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = answer.get(name)
    return part if isinstance(part, dict) else {}


def items(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list's objects, and nothing where there is no such list."""
    found = answer.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _counts(state: Mapping[str, Any]) -> Counts:
    counts = _part(state, "instance_status_counts") or _part(state, "instance_status_count")  # as older answers say
    return Counts(*(counts.get(f"{name}_count") or 0 for name in ("allocating", "creating", "running", "stopping")))


def _seconds(text: object) -> float | None:
    try:
        return seconds_of(str(text))
    except ValueError:
        return None


def _price(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None
