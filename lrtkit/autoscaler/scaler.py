"""One step: look at queue and container group, decide, act, verify, keep what was seen and done."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any

from lrtkit.autoscaler.ledger import Ledger
from lrtkit.autoscaler.records import count_open
from lrtkit.autoscaler.settings import check, cloud_settings, group_name
from lrtkit.salad import Group, Instance, InstanceState, SaladClient, SaladSettings
from lrtkit.scaling import Action, Decision, Outcome, Policy, Snapshot, Step, decide, memory
from lrtkit.wire.errors import Denied, LrtError, NotFound
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import read_env_file
from lrtkit.wire.sqs import LEASE_CAP_S, SqsQueue

COMING = {InstanceState.ALLOCATING, InstanceState.DOWNLOADING, InstanceState.CREATING}
IDLE = {*COMING, InstanceState.STOPPING}
"""States in which no job is worked on, whatever the deletion cost; one with a new name is none of them."""

STALE_S = 120.0
"""What was read longer ago says nothing about now: a laptop may have slept since, and another autoscaler stepped."""

Busy = Callable[[Sequence[Instance]], Collection[str]]
"""Tells which of the instances have a job, by their ids."""


@dataclass(eq=False)
class Autoscaler:
    """Sets the replicas of one container group from the depth of one queue.

    Workers of the kit tell SaladCloud by a deletion cost that they have a job. For others ``busy`` can tell, which is
    asked at each look: before the group shrinks, those instances get a deletion cost by the API.
    """

    queue: SqsQueue
    store: S3Store
    salad: SaladClient
    _: KW_ONLY
    group: str
    policy: Policy
    busy: Busy | None = None
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.store, self.queue.name, sleep=self.sleep)

    @classmethod
    def from_env(
        cls, env: Mapping[str, str] = os.environ, *, policy: Policy | None = None, patience_s: float = 60
    ) -> Autoscaler:
        """Put an autoscaler together from its environment (contract 1); raise BadInput where it lacks something.

        ``policy`` takes the place of the environment's. SaladCloud is given ``patience_s`` for each call.
        """
        check(env, policy=policy)
        group, cloud = group_name(env), cloud_settings(env)
        salad = SaladClient(SaladSettings.from_env(env, patience_s=patience_s))
        queue, store = SqsQueue(cloud.queue), S3Store(cloud.bucket)
        return cls(queue, store, salad, group=group, policy=policy or Policy.from_env(env))

    @classmethod
    def from_env_file(cls, path: str | Path, *, policy: Policy | None = None) -> Autoscaler:
        """Put an autoscaler together from an env file such as ``.lrt/autoscaler.env``."""
        return cls.from_env(read_env_file(path), policy=policy)

    def __repr__(self) -> str:
        return f"<autoscaler of {self.group} by {self.queue.name}>"

    def look(self, at: float | None = None) -> Snapshot:
        """Read queue and container group, and quota or price where the policy asks for them."""
        with _trying("lrtkit.queues.make(cloud), or mend queue_url and the key that may read its attributes"):
            depth = self.queue.depth()
        group = self.salad.get_group(self.group)
        instances = self.salad.list_instances(self.group)
        return Snapshot(
            depth.waiting,
            depth.in_flight,
            depth.delayed,
            group.replicas,
            str(group.status),
            at=time.time() if at is None else at,
            running=sum(each.state is InstanceState.RUNNING for each in instances),
            coming=sum(each.state in COMING for each in instances),
            at_work=self._at_work([each for each in instances if each.state not in IDLE]),
            lease_s=_lease_s(group),
            group=self.group,
            **self._limits(group),
        )

    def step(self, *, dry_run: bool = False, now: Callable[[], float] = time.time) -> Step:
        """Look, decide, act unless ``dry_run``, verify, and keep all of it in the bucket.

        Whatever fails is raised, after it has been kept: what the failed step has changed is what it
        had decided, and the next step goes on from there.
        """
        seen = self.look(now())
        with _trying("lrtkit.queues.make(cloud), or mend R2_BUCKET_NAME and its key"):
            history = self._ledger.recent(seen.at, within_s=memory.horizon_s(seen, self.policy))
        step = self._decided(seen, history)
        if dry_run:
            step = replace(step, outcome=Outcome.DRY_RUN)
        elif step.decision.action is not Action.NOTHING:
            step = self._carried_out(step, now)
        self._ledger.append(step)
        return step

    def wind_down(self, *, every_s: float = 30.0) -> Step:
        """Step until no replica is wanted any more; return the step that ended it."""
        while (step := self.step()).decision.replicas:
            self.sleep(every_s)
        return step

    def last_taken(self) -> Step | None:
        """Return anybody's newest step for this group that was no dry run; None where for long there was none."""
        return self._ledger.last_taken(self.group)

    def history(self) -> list[dict[str, Any]]:
        """Return all steps kept in the bucket, oldest first."""
        return self._ledger.all()

    def _at_work(self, instances: Sequence[Instance]) -> int:
        """Count who has a job: by the word of ``busy``, as nobody takes back the deletion costs that it has led to."""
        at_work = self.busy(instances) if self.busy else [each.id for each in instances if each.deletion_cost > 0]
        return len(set(at_work) & {each.id for each in instances})

    def _limits(self, group: Group) -> dict[str, Any]:
        quota = self.salad.quota() if self.policy.heed_quota else None
        priced = self.policy.max_usd_per_hour is not None
        return {
            "quota_left": quota and quota.replicas - quota.replicas_used,
            "usd_per_hour": self.salad.usd_per_hour(group) if priced else None,
        }

    def _decided(self, seen: Snapshot, history: Sequence[Step]) -> Step:
        """Decide; an end for want of jobs has to hold against the records in the bucket too."""
        decision = decide(seen, self.policy, history)
        if decision.action is Action.STOP and not seen.open_jobs and seen.running:
            seen = replace(seen, open_records=count_open(self.store))
            decision = decide(seen, self.policy, history)
        return Step(seen, decision, Outcome.NOTHING_TO_DO)

    def _carried_out(self, step: Step, now: Callable[[], float]) -> Step:
        try:
            if self.busy and step.decision.action is Action.SCALE and step.decision.replicas < step.snapshot.replicas:
                self.protect()
            if (age_s := now() - step.snapshot.at) > STALE_S:
                note = f"The reading was {age_s:.0f} s old by then: nothing was changed, and the next step reads anew."
                return replace(step, outcome=Outcome.LATE, note=note)
            self._act(step.decision)
            note = self._differs(step.decision)
        except LrtError as error:
            with contextlib.suppress(LrtError):  # the bucket may be out of reach as well, and is not what matters
                self._ledger.append(replace(step, outcome=Outcome.FAILED, note=f"It failed: {error}."))
            raise
        return replace(step, outcome=Outcome.CHANGED if note else Outcome.DONE, note=note)

    def _act(self, decision: Decision) -> None:
        """Make the calls: replicas first, because a group must not start with an old number of them."""
        if decision.action in {Action.SCALE, Action.START}:
            self.salad.patch_group(self.group, {"replicas": decision.replicas})
        if decision.action is Action.START:
            with _after(f"the replicas were set to {decision.replicas}"):
                self.salad.start_group(self.group)
        if decision.action is Action.STOP:
            self.salad.stop_group(self.group)

    def protect(self) -> None:
        """Give the busy instances a deletion cost by the API and the others none, for workers that set none."""
        instances = [each for each in self.salad.list_instances(self.group) if each.state is InstanceState.RUNNING]
        at_work = set(self.busy(instances)) if self.busy else set()
        for each in instances:
            cost = int(each.id in at_work)
            if each.deletion_cost != cost:
                with contextlib.suppress(NotFound):  # nodes vanish at any time
                    self.salad.set_deletion_cost(self.group, each.id, cost)

    def _differs(self, decision: Decision) -> str:
        """Return the words for a number of replicas that is not the one that was set; nothing if it is."""
        if decision.action is Action.STOP:
            return ""
        found = self.salad.get_group(self.group).replicas
        if found == decision.replicas:
            return ""
        return f"Somebody else has set {found} replicas at the same time; the next step decides anew."


@contextlib.contextmanager
def _trying(advice: str) -> Iterator[None]:
    """Say what to do about a name or a key that is wrong."""
    try:
        yield
    except (NotFound, Denied) as error:
        raise type(error)(f"{str(error).rstrip('.')}. Try: {advice}") from error


@contextlib.contextmanager
def _after(change: str) -> Iterator[None]:
    """Let an error say what has been changed before it."""
    try:
        yield
    except LrtError as error:
        raise type(error)(f"{error} (before that, {change}; the next step goes on from there)") from error


def _lease_s(group: Group) -> float:
    """Return how long the group's workers hold a job; the default where they were told nothing that is a number."""
    try:
        said_s = float(group.environment.get("LRT_LEASE_SECONDS", ""))
    except ValueError:
        return Snapshot.lease_s
    return said_s if 0 < said_s <= LEASE_CAP_S else Snapshot.lease_s
