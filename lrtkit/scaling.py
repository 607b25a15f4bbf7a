"""How many replicas there should be: numbers in, a decision with its reason out; arithmetic only."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lrtkit.wire.errors import BadInput

MOST_REPLICAS = 500
"""What the SaladCloud API accepts for one container group."""


_STARTED = {"deploying": True, "running": True, "stopped": False, "succeeded": False, "failed": False}


class Action(StrEnum):
    """What to do to a container group."""

    NOTHING = "nothing"
    SCALE = "scale"
    START = "start"
    STOP = "stop"


@dataclass(frozen=True)
class Snapshot:
    """One reading of a queue and of a container group with its ``status`` as SaladCloud says it."""

    waiting: int
    in_flight: int
    delayed: int
    replicas: int
    status: str

    @property
    def is_started(self) -> bool | None:
        """Whether the group has been started; None where its status leaves that open, as ``pending`` does."""
        return _STARTED.get(self.status)

    @property
    def open_jobs(self) -> int:
        """Jobs that still need a worker, those that wait for their next attempt included."""
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True)
class Policy:
    """The bounds of the group, and how many jobs a replica is to have before there is another."""

    min_replicas: int = 0
    max_replicas: int = 10
    jobs_per_replica: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_replicas <= self.max_replicas <= MOST_REPLICAS:
            raise BadInput(
                f"replicas must be 0 <= minimum <= maximum <= {MOST_REPLICAS}, "
                f"not {self.min_replicas} and {self.max_replicas}"
            )
        if self.jobs_per_replica <= 0:
            raise BadInput(f"jobs_per_replica must be more than 0, not {self.jobs_per_replica:g}")

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Policy:
        """Read ``min_replicas`` and ``max_replicas`` of the autoscaler's environment."""
        try:
            return cls(int(env["min_replicas"]), int(env["max_replicas"]))
        except (KeyError, ValueError) as error:
            raise BadInput(f"min_replicas and max_replicas must be set to whole numbers: {error}") from error


@dataclass(frozen=True)
class Decision:
    """How many replicas to have, what to do for it, and why in a sentence."""

    replicas: int
    action: Action
    reason: str

    def __str__(self) -> str:
        return self.reason


def decide(snapshot: Snapshot, policy: Policy) -> Decision:
    """Return the guide's rule, open jobs between the bounds, but never below the busy replicas while it shrinks."""
    wanted = math.ceil(snapshot.open_jobs / policy.jobs_per_replica)
    bounded = min(policy.max_replicas, max(policy.min_replicas, wanted))
    shrinking = snapshot.is_started and bounded < snapshot.replicas
    replicas = min(snapshot.replicas, max(bounded, snapshot.in_flight)) if shrinking else bounded
    action = _action(snapshot, replicas)
    return Decision(replicas, action, _reason(snapshot, replicas, action))


def _action(snapshot: Snapshot, replicas: int) -> Action:
    if replicas and not snapshot.is_started:
        return Action.START
    if not replicas:
        return Action.NOTHING if snapshot.is_started is False else Action.STOP
    return Action.NOTHING if replicas == snapshot.replicas else Action.SCALE


def _reason(snapshot: Snapshot, replicas: int, action: Action) -> str:
    jobs = f"{snapshot.waiting + snapshot.delayed} jobs wait and {snapshot.in_flight} run"
    group = f"{snapshot.replicas} replicas" if snapshot.is_started else f"the group is {snapshot.status}"
    return {
        Action.NOTHING: f"{jobs}: {group}, which stays",
        Action.SCALE: f"{jobs}: from {group} to {replicas}",
        Action.START: f"{jobs}: {group}, start it with {replicas} replicas",
        Action.STOP: f"{jobs}: {group}, none needed any more, stop it",
    }[action]
