"""The queue: the one module that speaks SQS."""

from __future__ import annotations

import functools
import hashlib
import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lrtkit.wire import aws
from lrtkit.wire.errors import LrtError, Unavailable
from lrtkit.wire.settings import QueueSettings

LEASE_CAP_S = 43_200
"""SQS ends a lease twelve hours after its receive, however often it was extended."""

RETENTION_S = 1_209_600
"""SQS keeps a message for 14 days from its sending at the most, then drops it, taken or not."""

LARGEST_BATCH = 10
"""How many messages one call can carry."""

CALLS_PER_S = 300
"""What SQS takes of one FIFO queue, for each kind of call."""

LONG_POLL_S = 20
"""The longest that SQS lets a receive wait."""

_COUNTS = {
    "waiting": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


@dataclass(frozen=True)
class Message:
    """A message as received; ``receipt`` is the right to extend, release and delete it."""

    body: str
    receipt: str
    message_id: str
    group: str = ""
    receive_count: int = 1
    sent_at: float = 0.0
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """A message to be sent: one ``group`` a job, and ``once``, what makes a second sending the same."""

    body: str
    group: str
    once: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Its bytes, as SQS counts them against its limits: those of the attributes too."""
        attributes = (f"{name}String{value}" for name, value in self.attributes.items())
        return sum(len(part.encode()) for part in (self.body, *attributes))


@dataclass(frozen=True)
class Depth:
    """Approximate counts of a queue, and of its dead letters."""

    waiting: int
    in_flight: int
    delayed: int
    dead: int


class Queue(Protocol):
    """What the worker needs of the queue."""

    def receive(self, *, lease_s: float, wait_s: int, attempt_id: str) -> Message | None:
        """Take a message for a lease, waiting for one; a repeated ``attempt_id`` gets the same message."""

    def extend(self, receipt: str, lease_s: float) -> None:
        """Let the lease run on from now; raise LeaseLost or LeaseCapped."""

    def release(self, receipt: str, delay_s: float = 0) -> None:
        """Give the message back, to be taken again after a delay; raise LeaseLost."""

    def delete(self, receipt: str) -> None:
        """Acknowledge the message; raise LeaseLost where the lease had run out."""

    def send(self, message: Outgoing) -> None:
        """Send one message."""

    def send_dead(self, message: Outgoing) -> None:
        """Send one message to the dead-letter queue."""


class SqsQueue:
    """A FIFO queue and its dead-letter queue in SQS, over clients that ``connect`` makes."""

    calls_per_s: float = CALLS_PER_S

    def __init__(self, settings: QueueSettings, *, connect: aws.Connect = aws.client) -> None:
        self.url = settings.url
        self.dead_letter_url = settings.dead_letter_url
        client = functools.partial(
            connect, "sqs", settings.access, endpoint_url=settings.endpoint_url, region=settings.region
        )
        self._calls = client()
        self._polls = client(read_timeout_s=LONG_POLL_S + 5)
        # Whoever sends batches sets the pace by each throttle, and a megabyte takes its time on a home's line.
        self._batches = client(tries=1, read_timeout_s=15)

    @property
    def name(self) -> str:
        """The queue's name, the last part of its URL."""
        return name_of(self.url)

    def __repr__(self) -> str:
        return f"<queue {self.name}>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"

    def receive(self, *, lease_s: float, wait_s: int, attempt_id: str) -> Message | None:
        """Take a message for a lease, waiting up to 20 s for one; a repeated ``attempt_id`` gets the same message."""
        with aws.explained(f"cannot receive from {self.url}"):
            answer = self._polls.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=1,
                VisibilityTimeout=math.ceil(lease_s),
                WaitTimeSeconds=wait_s,
                ReceiveRequestAttemptId=attempt_id,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return next((_message(found) for found in answer.get("Messages", [])), None)

    def extend(self, receipt: str, lease_s: float) -> None:
        """Let the lease run on from now; raise LeaseLost or LeaseCapped."""
        with aws.explained(f"cannot extend a lease of {self.url}"):
            self._calls.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=math.ceil(lease_s)
            )

    def release(self, receipt: str, delay_s: float = 0) -> None:
        """Give the message back, to be taken again after a delay; raise LeaseLost."""
        self.extend(receipt, delay_s)

    def delete(self, receipt: str) -> None:
        """Acknowledge the message; raise LeaseLost where the lease had run out."""
        with aws.explained(f"cannot delete a message of {self.url}"):
            self._calls.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)

    def send(self, message: Outgoing) -> None:
        """Send one message."""
        self._send(self.url, message)

    def send_dead(self, message: Outgoing) -> None:
        """Send one message to the dead-letter queue."""
        self._send(self.dead_letter_url, message)

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Send up to ten messages in one call, once; return the error of each that was not taken, by its place."""
        entries = [{"Id": str(place), **_entry(message)} for place, message in enumerate(messages)]
        with aws.explained(f"cannot send to {self.url}"):
            answer = self._batches.send_message_batch(QueueUrl=self.url, Entries=entries)
        taken = {entry["Id"] for entry in answer.get("Successful", [])}
        refused = {entry["Id"]: _refusal(self.url, entry) for entry in answer.get("Failed", [])}
        silence = Unavailable(f"cannot send to {self.url}: the answer does not tell of every message")
        return {place: refused.get(str(place), silence) for place in range(len(messages)) if str(place) not in taken}

    def receive_dead(self, *, hold_s: float, wait_s: int) -> list[Message]:
        """Take up to ten dead letters for a while, waiting up to 20 s for one; of one group they are the oldest."""
        with aws.explained(f"cannot receive from {self.dead_letter_url}"):
            answer = self._polls.receive_message(
                QueueUrl=self.dead_letter_url,
                MaxNumberOfMessages=LARGEST_BATCH,
                VisibilityTimeout=math.ceil(hold_s),
                WaitTimeSeconds=wait_s,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return [_message(found) for found in answer.get("Messages", [])]

    def release_dead(self, receipts: Sequence[str]) -> None:
        """Give dead letters back; those that are back already do not matter."""
        for first in range(0, len(receipts), LARGEST_BATCH):
            batch = enumerate(receipts[first : first + LARGEST_BATCH])
            entries = [{"Id": str(place), "ReceiptHandle": each, "VisibilityTimeout": 0} for place, each in batch]
            with aws.explained(f"cannot release messages of {self.dead_letter_url}"):
                self._calls.change_message_visibility_batch(QueueUrl=self.dead_letter_url, Entries=entries)

    def delete_dead(self, receipt: str) -> None:
        """Delete a dead letter; raise LeaseLost where it is back already."""
        with aws.explained(f"cannot delete a message of {self.dead_letter_url}"):
            self._calls.delete_message(QueueUrl=self.dead_letter_url, ReceiptHandle=receipt)

    def depth(self) -> Depth:
        """Return the approximate counts of the queue and of its dead letters; without a URL those count as none."""
        attributes = self._attributes(self.url)
        dead = self._attributes(self.dead_letter_url) if self.dead_letter_url else {}
        counts = {name: int(attributes[attribute]) for name, attribute in _COUNTS.items()}
        return Depth(**counts, dead=int(dead.get(_COUNTS["waiting"], 0)))

    def largest_message(self) -> int:
        """Return how many bytes a message may have, attributes included."""
        return int(self._attributes(self.url)["MaximumMessageSize"])

    def _send(self, url: str, message: Outgoing) -> None:
        with aws.explained(f"cannot send to {url}"):
            answer = self._calls.send_message(QueueUrl=url, **_entry(message))
            if "MessageId" not in answer:
                raise aws.NoAnswer("the answer does not say that the message was taken")

    def _attributes(self, url: str) -> dict[str, str]:
        with aws.explained(f"cannot read the attributes of {url}"):
            answer = self._calls.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            attributes = dict(answer.get("Attributes", {}))
            if not {*_COUNTS.values(), "MaximumMessageSize"} <= attributes.keys():
                raise aws.NoAnswer("the answer lacks them, as if no SQS were there")
        return attributes


def name_of(url: str) -> str:
    """Return a queue's name, the last part of its URL."""
    return url.rsplit("/", 1)[-1]


def once(*parts: object) -> str:
    """Return a deduplication id: the same for the same parts, and never too long."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _message(found: dict[str, Any]) -> Message:
    system = found.get("Attributes", {})
    attributes = found.get("MessageAttributes", {})
    return Message(
        body=found["Body"],
        receipt=found["ReceiptHandle"],
        message_id=found["MessageId"],
        group=system.get("MessageGroupId", ""),
        receive_count=int(system.get("ApproximateReceiveCount", 1)),
        sent_at=int(system.get("SentTimestamp", 0)) / 1000,
        attributes={name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value},
    )


def _entry(message: Outgoing) -> dict[str, Any]:
    attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items() if value
    }
    return {
        "MessageBody": message.body,
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.once,
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def _refusal(url: str, entry: dict[str, Any]) -> LrtError:
    status = 400 if entry.get("SenderFault") else 500
    kind = aws.classify_answer(entry.get("Code", ""), entry.get("Message", ""), status)
    return kind(f"cannot send to {url}: {entry.get('Message') or entry.get('Code')}")
