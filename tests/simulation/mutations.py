"""Faults of the guide, and others of their kind, put back into the running code one at a time.

Each is a small patch. The simulation has to find every one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lrtkit.autoscaler import Autoscaler
from lrtkit.jobs.difference import Action, Difference
from lrtkit.scaling import Action as Scaling
from lrtkit.wire import keys, ledger, parcel
from lrtkit.wire.clock import Clock
from lrtkit.wire.errors import LeaseLost, LrtError, PoisonMessage, Unavailable
from lrtkit.wire.record import Cause, Failure, Record, StoredFile
from lrtkit.wire.s3 import S3Store, Store
from lrtkit.wire.sqs import Message
from tests.simulation.faults import Outage, Weather
from tests.simulation.salad import Hazard
from tests.simulation.scenario import DAY_S, Errand, Scenario
from worker import checkpoint, dead_letter, files, patience
from worker.attempt import Attempt
from worker.checkpoint import Loaded
from worker.claim import Claim
from worker.conclusion import Conclusion
from worker.lease import Lease
from worker.loop import Worker
from worker.node import Node
from worker.report import Report
from worker.running import Ended, Finished
from worker.service import Service
from worker.verdict import Verdict

Patch = pytest.MonkeyPatch

MUTATIONS: dict[str, Mutation] = {}


@dataclass(frozen=True)
class Mutation:
    """A fault: ``patch`` puts it into the code, ``scenario`` into the settings; ``life`` is where it is looked for."""

    name: str
    patch: Callable[[Patch], None] = lambda _: None
    scenario: Callable[[Scenario], Scenario] = lambda scenario: scenario
    life: str | None = None
    since: int = 0
    """The seed from which on it is looked for: those before have been searched in vain."""

    is_in_code: bool = True


def mutation(name: str, **more: Any) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    """Register a patch under what it does wrong."""

    def register(patch: Callable[[Patch], None]) -> Callable[[Patch], None]:
        MUTATIONS[name] = Mutation(name, patch, **more)
        return patch

    return register


def _with_trouble(scenario: Scenario) -> Scenario:
    return replace(scenario, weather=replace(scenario.weather, trouble=0.15, spoiled=0.0))


def _with_rot(scenario: Scenario) -> Scenario:
    return replace(scenario, weather=replace(scenario.weather, spoiled=0.3))


def _with_outage(scenario: Scenario) -> Scenario:
    return replace(scenario, weather=replace(scenario.weather, outages=[Outage("s3", 3600, 9000)]))


def _with_drought(scenario: Scenario) -> Scenario:
    """Let no replica start until the messages are almost fourteen days old."""
    ends = 13.9 * DAY_S
    errands = [errand for errand in scenario.errands if errand.what == "submit"]
    return replace(
        scenario,
        hazard=Hazard(drought=(0.0, ends)),
        weather=Weather(),
        errands=[*errands, Errand(ends + DAY_S, "submit")],
        longest_s=ends + 3 * DAY_S,
    )


@mutation("the heartbeat dies at the first network error, and nobody is told", since=6)
def _(patch: Patch) -> None:
    async def beat(self: Lease, report: Report) -> None:
        while await self._extended(report):
            await self._clock.sleep(self.beat_s)

    patch.setattr(Lease, "_beat", beat)
    patch.setattr(Lease, "check", lambda *_: None)


@mutation("a record is written whatever is there: no fence", since=1)
def _(patch: Patch) -> None:
    def swap(self: S3Store, key: str, body: bytes, etag: str | None) -> str:
        self.put(key, body)
        item = self.get(key)
        assert item
        return item.etag

    patch.setattr(S3Store, "swap", swap)
    patch.setattr(S3Store, "changed", lambda *_: False)


@mutation("a wish to cancel is not heard", since=26)
def _(patch: Patch) -> None:
    patch.setattr(Claim, "_note_cancel", lambda *_: None)


@mutation("a claim does not count the generation up")
def _(patch: Patch) -> None:
    claimed = Record.claimed

    def same_generation(self: Record, *args: Any, **kwargs: Any) -> Record:
        record = claimed(self, *args, **kwargs)
        attempt = replace(record.attempts[-1], generation=max(1, self.generation))
        return replace(record, generation=max(1, self.generation), attempts=(*record.attempts[:-1], attempt))

    patch.setattr(Record, "claimed", same_generation)


@mutation("a checkpoint that cannot be read is taken for none", since=8)
def _(patch: Patch) -> None:
    async def load(store: Store, clock: Clock, report: Report, *, job_id: str, record: Record, folder: Path) -> Loaded:
        if not record.checkpoint:
            return Loaded()
        try:
            await clock.run(files.download_all, store, job_id, record.checkpoint, folder)
        except LrtError:
            return Loaded()
        return Loaded(record.checkpoint)

    patch.setattr(checkpoint, "load", load)


MUTATIONS["receives count as failures: the queue sets a message aside after three"] = Mutation(
    "receives count as failures: the queue sets a message aside after three",
    scenario=lambda scenario: replace(scenario, max_receives=3),
    is_in_code=False,
)


@mutation("a message that is no job is tried again and again")
def _(patch: Patch) -> None:
    def received(*args: Any) -> Any:
        try:
            return real(*args)
        except PoisonMessage as error:
            raise KeyError("job_id") from error

    real = parcel.received
    patch.setattr(parcel, "received", received)


@mutation("a dead letter's message is deleted before the letter is sent", life="fails")
def _(patch: Patch) -> None:
    set_aside = dead_letter.set_aside

    async def delete_first(queue: Any, clock: Clock, report: Report, *, message: Message, failure: Failure) -> None:
        await clock.run(queue.delete, message.receipt)
        await set_aside(queue, clock, report, message=message, failure=failure)

    patch.setattr(dead_letter, "set_aside", delete_first)


@mutation("another job's checkpoint is resumed under the same id", since=5)
def _(patch: Patch) -> None:
    async def has_ended(self: Service, job: Any, found: Any) -> bool:
        return bool(found.record and found.record.state.final)

    patch.setattr(Service, "_has_ended", has_ended)


@mutation("the work goes on after the twelve hours, without a lease", life="long")
def _(patch: Patch) -> None:
    extended = Lease._extended

    async def whatever_comes(self: Lease, report: Report) -> bool:
        try:
            is_extended = await extended(self, report)
        except LeaseLost:
            is_extended = True
        if self._capped or is_extended:
            self._deadline = self._clock.monotonic() + self._lease_s
        return True

    async def never(self: Attempt, _: Any) -> None:
        await asyncio.Event().wait()

    patch.setattr(Attempt, "_watch_record", never)
    patch.setattr(Lease, "_extended", whatever_comes)
    patch.setattr(Attempt, "_watch_age", never)


@mutation("a service that does not answer is asked again at once", scenario=_with_outage)
def _(patch: Patch) -> None:
    patch.setattr(patience, "backoff_s", lambda *_: 0.01)


@mutation("None as a result is taken for an interruption")
def _(patch: Patch) -> None:
    reach = Conclusion.reach

    async def none_is_not_done(self: Conclusion, ended: Ended, halt: Any) -> Verdict:
        if isinstance(ended, Finished) and ended.value is None:
            return await self._interrupt(Cause.WORKLOAD)
        return await reach(self, ended, halt)

    patch.setattr(Conclusion, "reach", none_is_not_done)


@mutation("the result is published before the record says done", life="plain")
def _(patch: Patch) -> None:
    commit = Conclusion._commit

    async def publish_first(self: Conclusion, finished: Finished) -> Verdict:
        store, job_id = self.organs.store, self.claim.job.job_id
        await self.organs.clock.run(store.put, keys.result(job_id), str(finished.value).encode())
        return await commit(self, finished)

    patch.setattr(Conclusion, "_commit", publish_first)


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


@mutation("a second submission sends everything again")
def _(patch: Patch) -> None:
    patch.setattr(Difference, "action", property(lambda _: Action.SEND))


@mutation("a file is taken as it comes, whatever its hash", scenario=_with_rot)
def _(patch: Patch) -> None:
    def download(store: Store, job_id: str, file: StoredFile, path: Path) -> None:
        store.download(keys.file(job_id, file.sha256), path)

    patch.setattr(files, "_download", download)


@mutation("an interruption counts as a failure", since=3)
def _(patch: Patch) -> None:
    def interrupted(self: Record, cause: Cause, *, now: str) -> Record:
        return self.failed(Failure("Interrupted", cause), final=self.counts.failures >= 2, now=now)

    patch.setattr(Record, "interrupted", interrupted)


@mutation("attempts that end without a trace are repeated for ever")
def _(patch: Patch) -> None:
    patch.setattr(Service, "_check_budget", lambda *_: None)


@mutation("a message is deleted as soon as it is received")
def _(patch: Patch) -> None:
    receive = Worker._receive

    async def receive_and_delete(self: Worker, attempt_id: str) -> Message | None:
        message = await receive(self, attempt_id)
        if message:
            await self._organs.clock.run(self._organs.queue.delete, message.receipt)
        return message

    patch.setattr(Worker, "_receive", receive_and_delete)


@mutation("a checkpoint is committed although its files were not uploaded", scenario=_with_trouble, since=3)
def _(patch: Patch) -> None:
    def upload_all(store: Store, job_id: str, found: Any, known: Any) -> dict[str, StoredFile]:
        try:
            return real(store, job_id, found, known)
        except Unavailable:
            return {name: files.describe(path) for name, path in found.items()}

    real = files.upload_all
    patch.setattr(files, "upload_all", upload_all)


@mutation("a message is not renewed before its fourteen days are over", scenario=_with_drought)
def _(patch: Patch) -> None:
    async def renew(*_: Any, **__: Any) -> bool:
        return False

    patch.setattr(dead_letter, "renew", renew)


@mutation("a final job that comes again is run again", since=1)
def _(patch: Patch) -> None:
    async def has_ended(self: Service, job: Any, found: Any) -> bool:
        if found.record and found.record.fingerprint not in {None, job.fingerprint}:
            raise PoisonMessage("another job")
        return False

    patch.setattr(Service, "_has_ended", has_ended)


@mutation("a record that seems damaged is believed at the first look", since=11)
def _(patch: Patch) -> None:
    patch.setattr(ledger, "read", ledger._read)
