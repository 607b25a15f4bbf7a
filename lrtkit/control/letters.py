"""The dead letters: read without taking any away, and deleted one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from lrtkit.progress.columns import natural, texts, times
from lrtkit.wire import parcel
from lrtkit.wire.errors import PoisonMessage
from lrtkit.wire.job import parse
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.sqs import Message

HOLD_S = 60
"""How long a letter is hidden from others who read, should this reader vanish."""

_ATTRIBUTES = ("reason", "error_type", "failed_at")


class DeadLetters(Protocol):
    """What reading needs of the dead-letter queue."""

    def receive_dead(self, *, hold_s: float, wait_s: int) -> list[Message]:
        """Take up to ten dead letters for a while."""

    def release_dead(self, receipts: Sequence[str]) -> None:
        """Give dead letters back."""

    def delete_dead(self, receipt: str) -> None:
        """Delete a dead letter."""


@dataclass(frozen=True)
class Letter:
    """A dead letter; ``parcel`` is the job as its message carried it, None where it was no job."""

    message_id: str
    body: str
    parcel: Parcel | None
    attributes: Mapping[str, str]

    @property
    def job_id(self) -> str | None:
        """The id of the job that it was."""
        return self.parcel.job_id if self.parcel else None


def read(queue: DeadLetters) -> list[Letter]:
    """Return every dead letter, and leave all of them where they are.

    Of several letters of one job a FIFO queue may hand out the oldest alone, as long as that is there.
    """
    return _sweep(queue, frozenset())


def delete(queue: DeadLetters, message_ids: Collection[str]) -> None:
    """Delete dead letters by their message ids, and leave all others where they are."""
    if message_ids:
        _sweep(queue, message_ids)


def frame(letters: Iterable[Letter], states: Mapping[str, str]) -> pd.DataFrame:
    """Return a row a letter; see ``Experiment.dead_letters``."""
    found = list(letters)
    index = pd.Index([letter.job_id for letter in found], name="job_id", dtype="str")
    given = [[letter.attributes.get(name) for letter in found] for name in _ATTRIBUTES]
    columns = dict(zip(_ATTRIBUTES, map(texts, given), strict=True))
    columns["failed_at"] = times(given[-1])
    columns["state"] = texts([states.get(letter.job_id or "") for letter in found])
    columns["body"] = texts([None if letter.parcel else letter.body for letter in found])
    fields = [_fields(letter.parcel, columns) for letter in found]
    columns |= {name: natural([row.get(name) for row in fields]) for row in fields for name in row}
    return pd.DataFrame({name: column.set_axis(index) for name, column in columns.items()}, index=index)


def _sweep(queue: DeadLetters, doomed: Collection[str]) -> list[Letter]:
    """Go through all letters once, delete the doomed and give the others back, however this ends."""
    held: dict[str, Message] = {}
    try:
        while True:
            page = queue.receive_dead(hold_s=HOLD_S, wait_s=1)  # without a wait SQS looks at some of its servers only
            unseen = [message for message in page if message.message_id not in held]
            for message in page:
                if message.message_id in doomed:
                    queue.delete_dead(message.receipt)
                else:
                    held[message.message_id] = message
            if not unseen:
                return [_letter(message) for message in held.values()]
    finally:
        queue.release_dead([message.receipt for message in held.values()])


def _letter(message: Message) -> Letter:
    try:
        its = parcel.received(message.body, message.attributes)
    except PoisonMessage:
        its = None
    return Letter(message.message_id, message.body, its, message.attributes)


def _fields(parcel: Parcel | None, taken: Collection[str]) -> dict[str, Any]:
    fields = parse(parcel.body).fields if parcel else {}
    return {f"job.{name}" if name in taken else name: value for name, value in fields.items() if name != "job_id"}
