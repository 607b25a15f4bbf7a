"""One step of the autoscaler: look at queue and container group, decide, act, keep what was seen and done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lrtkit.salad import SaladClient, SaladSettings
from lrtkit.scaling import Action, Decision, Policy, Snapshot, decide
from lrtkit.wire import keys
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import BadInput
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings, read_env_file
from lrtkit.wire.sqs import SqsQueue


@dataclass(frozen=True)
class Step:
    """What was seen, what was decided, and whether it was done."""

    at: str
    snapshot: Snapshot
    decision: Decision
    dry_run: bool

    def __str__(self) -> str:
        return f"{self.decision.reason}{' (dry run)' if self.dry_run else ''}."


class Autoscaler:
    """Sets the replicas of one container group from the depth of one queue."""

    def __init__(self, queue: SqsQueue, store: S3Store, salad: SaladClient, *, group: str, policy: Policy) -> None:
        self.queue = queue
        self.store = store
        self.salad = salad
        self.group = group
        self.policy = policy

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, *, policy: Policy | None = None) -> Autoscaler:
        """Put an autoscaler together from its environment (contract 1); raise BadInput where it lacks something.

        ``policy`` takes the place of the environment's bounds.
        """
        group = env.get("salad_container_group_name")
        if not group:
            raise BadInput("salad_container_group_name is missing: the name of the container group, as on SaladCloud")
        cloud = CloudSettings.from_env(env)
        queue, store = SqsQueue(cloud.queue), S3Store(cloud.bucket)
        salad = SaladClient(SaladSettings.from_env(env))
        return cls(queue, store, salad, group=group, policy=policy or Policy.from_env(env))

    @classmethod
    def from_env_file(cls, path: str | Path, *, policy: Policy | None = None) -> Autoscaler:
        """Put an autoscaler together from an env file such as ``.lrt/autoscaler.env``."""
        return cls.from_env(read_env_file(path), policy=policy)

    def __repr__(self) -> str:
        return f"<autoscaler of {self.group} by {self.queue.name}>"

    def look(self) -> Snapshot:
        """Read queue and container group."""
        depth, group = self.queue.depth(), self.salad.get_group(self.group)
        return Snapshot(depth.waiting, depth.in_flight, depth.delayed, group.replicas, str(group.status))

    def step(self, *, dry_run: bool = False, now: Callable[[], float] = time.time) -> Step:
        """Look, decide, act unless ``dry_run``, and keep reading and decision in the bucket."""
        snapshot = self.look()
        step = Step(iso(now()), snapshot, decide(snapshot, self.policy), dry_run)
        if not dry_run:
            self._act(step.decision)
        self.store.put(keys.readings(self.queue.name, step.at), json.dumps(asdict(step)).encode())
        return step

    def history(self) -> list[dict[str, Any]]:
        """Return all steps kept in the bucket, oldest first."""
        found = self.store.listed(keys.readings_of(self.queue.name))
        items = (self.store.get(each.key) for each in found)
        return [json.loads(item.body) for item in items if item]

    def _act(self, decision: Decision) -> None:
        if decision.action in {
            Action.SCALE,
            Action.START,
        }:  # replicas first: a start must not begin with the old number
            self.salad.patch_group(self.group, {"replicas": decision.replicas})
        if decision.action is Action.START:
            self.salad.start_group(self.group)
        if decision.action is Action.STOP:
            self.salad.stop_group(self.group)
