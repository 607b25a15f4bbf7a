"""Faults about jobs and replicas: how attempts are counted and ended, what is sent, and what is scaled."""

from __future__ import annotations

from typing import Any

from lrtkit.autoscaler import Autoscaler
from lrtkit.jobs.difference import Action, Difference
from lrtkit.scaling import Action as Scaling
from lrtkit.wire.errors import PoisonMessage
from lrtkit.wire.record import Cause, Failure, Record
from tests.simulation.mutations.mutation import Patch, mutation
from worker.claim import Claim
from worker.conclusion import Conclusion
from worker.node import Node
from worker.running import Ended, Finished
from worker.service import Service
from worker.verdict import Verdict


@mutation("a wish to cancel is not heard", since=36)
def _(patch: Patch) -> None:
    patch.setattr(Claim, "_note_cancel", lambda *_: None)


@mutation("None as a result is taken for an interruption")
def _(patch: Patch) -> None:
    reach = Conclusion.reach

    async def none_is_not_done(self: Conclusion, ended: Ended, halt: Any) -> Verdict:
        if isinstance(ended, Finished) and ended.value is None:
            return await self._interrupt(Cause.WORKLOAD)
        return await reach(self, ended, halt)

    patch.setattr(Conclusion, "reach", none_is_not_done)


@mutation("an interruption counts as a failure", since=3)
def _(patch: Patch) -> None:
    def interrupted(self: Record, cause: Cause, *, now: str) -> Record:
        return self.failed(Failure("Interrupted", cause), final=self.counts.failures >= 2, now=now)

    patch.setattr(Record, "interrupted", interrupted)


@mutation("attempts that end without a trace are repeated for ever")
def _(patch: Patch) -> None:
    patch.setattr(Service, "_check_budget", lambda *_: None)


@mutation("a final job that comes again is run again", since=2)
def _(patch: Patch) -> None:
    async def has_ended(self: Service, job: Any, found: Any) -> bool:
        if found.record and found.record.fingerprint not in {None, job.fingerprint}:
            raise PoisonMessage("another job")
        return False

    patch.setattr(Service, "_has_ended", has_ended)


@mutation("a second submission sends everything again")
def _(patch: Patch) -> None:
    patch.setattr(Difference, "action", property(lambda _: Action.SEND))


@mutation("no deletion cost is set: the autoscaler removes whichever replica comes first")
def _(patch: Patch) -> None:
    async def nothing(self: Node, cost: int) -> None:
        return

    patch.setattr(Node, "set_deletion_cost", nothing)


@mutation("the group is started before its number of replicas is set")
def _(patch: Patch) -> None:
    def act(self: Autoscaler, decision: Any) -> None:
        if decision.action is Scaling.START:
            self.salad.start_group(self.group)
        if decision.action in {Scaling.SCALE, Scaling.START}:
            self.salad.patch_group(self.group, {"replicas": decision.replicas})
        if decision.action is Scaling.STOP:
            self.salad.stop_group(self.group)

    patch.setattr(Autoscaler, "_act", act)
