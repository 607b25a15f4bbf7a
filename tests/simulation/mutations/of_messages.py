"""Faults about messages and leases: what is received, held, renewed, deleted and set aside."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from lrtkit.wire import parcel
from lrtkit.wire.clock import Clock
from lrtkit.wire.errors import LeaseLost, PoisonMessage
from lrtkit.wire.record import Failure
from lrtkit.wire.sqs import Message
from tests.simulation.mutations.mutation import MUTATIONS, Mutation, Patch, mutation, with_drought
from worker import dead_letter
from worker.attempt import Attempt
from worker.lease import Lease
from worker.loop import Worker
from worker.report import Report


@mutation("the heartbeat dies at the first network error, and nobody is told", since=6)
def _(patch: Patch) -> None:
    async def beat(self: Lease, report: Report) -> None:
        while await self._extended(report):
            await self._clock.sleep(self.beat_s)

    patch.setattr(Lease, "_beat", beat)
    patch.setattr(Lease, "check", lambda *_: None)


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


@mutation("a message is deleted as soon as it is received")
def _(patch: Patch) -> None:
    receive = Worker._receive

    async def receive_and_delete(self: Worker, attempt_id: str) -> Message | None:
        message = await receive(self, attempt_id)
        if message:
            await self._organs.clock.run(self._organs.queue.delete, message.receipt)
        return message

    patch.setattr(Worker, "_receive", receive_and_delete)


@mutation("a message is not renewed before its fourteen days are over", scenario=with_drought)
def _(patch: Patch) -> None:
    async def renew(*_: Any, **__: Any) -> bool:
        return False

    patch.setattr(dead_letter, "renew", renew)
