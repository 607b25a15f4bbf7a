"""Where rules are tried: a client of a service, with the few gestures that rules consist of."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Answer = dict[str, Any]

OURS = f"lrtkit-rules-{uuid.uuid4().hex[:12]}-"
"""What the names of this run's queues begin with, and of no others."""


class Time(Protocol):
    """How time passes where a rule is tried."""

    def now(self) -> float:
        """Return the seconds since 1970."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Make a call after a while, beside whatever goes on."""


@dataclass(frozen=True)
class Queue:
    """A FIFO queue, and what rules do with it."""

    client: Any
    url: str

    def send(self, body: str = "x", *, group: str = "a", once: str | None = None, **more: Any) -> Answer:
        """Send a message that is like no other."""
        given = {"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": once or uuid.uuid4().hex}
        answer: Answer = self.client.send_message(QueueUrl=self.url, **given, **more)
        return answer

    def send_batch(self, *entries: Mapping[str, Any]) -> Answer:
        """Send messages in one call, each a group of its own unless it says otherwise."""
        whole = [
            {
                "Id": str(place),
                "MessageBody": "x",
                "MessageGroupId": f"g{place}",
                "MessageDeduplicationId": uuid.uuid4().hex,
                **entry,
            }
            for place, entry in enumerate(entries)
        ]
        answer: Answer = self.client.send_message_batch(QueueUrl=self.url, Entries=whole)
        return answer

    def take(self, most: int = 1, *, hold_s: int = 30, wait_s: int = 0, **more: Any) -> list[Answer]:
        """Receive messages."""
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=hold_s,
            WaitTimeSeconds=wait_s,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **more,
        )
        return list(answer.get("Messages", []))

    def one(self, **more: Any) -> Answer:
        """Receive a message that has to be there."""
        taken = self.take(**more)
        assert len(taken) == 1, f"{len(taken)} messages were received"
        return taken[0]

    def bodies(self, most: int = 10, **more: Any) -> list[str]:
        """Receive messages and return what is in them."""
        return [each["Body"] for each in self.take(most, **more)]

    def hold(self, message: Answer, seconds: int) -> None:
        """Hide a message for so long from now."""
        receipt = message["ReceiptHandle"]
        self.client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def delete(self, message: Answer) -> None:
        """Acknowledge a message."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def attributes(self) -> dict[str, str]:
        """Return all attributes."""
        return dict(self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"])

    def counts(self) -> tuple[int, int, int]:
        """Return how many messages are said to wait, to be in flight and to be delayed."""
        found = self.attributes()
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return int(found[names[0]]), int(found[names[1]]), int(found["ApproximateNumberOfMessagesDelayed"])

    @property
    def arn(self) -> str:
        """Its name for policies."""
        return self.attributes()["QueueArn"]


@dataclass(frozen=True)
class Queues:
    """A desk for rules of SQS."""

    client: Any
    time: Time
    most_in_flight: int = 120_000

    def name(self) -> str:
        """Return a name that no other queue has."""
        return f"{OURS}{uuid.uuid4().hex[:12]}.fifo"

    def make(self, *, name: str = "", **attributes: object) -> Queue:
        """Make a FIFO queue."""
        given = {"FifoQueue": "true", **{key: str(value) for key, value in attributes.items()}}
        return Queue(self.client, self.client.create_queue(QueueName=name or self.name(), Attributes=given)["QueueUrl"])

    def pair(self, receives: int) -> tuple[Queue, Queue]:
        """Make a queue, and one for its dead letters."""
        dead = self.make()
        policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives})
        return self.make(RedrivePolicy=policy), dead


@dataclass(frozen=True)
class Bucket:
    """A desk for rules of S3: a bucket, in which each rule has a prefix of its own."""

    client: Any
    time: Time
    name: str
    prefix: str

    def key(self, name: str) -> str:
        """Return a key of this rule's own."""
        return self.prefix + name

    def put(self, name: str, body: bytes = b"x", **more: Any) -> str:
        """Write an object and return its ETag; two to one key are a second apart, as R2 wants it."""
        return str(self.client.put_object(Bucket=self.name, Key=self.key(name), Body=body, **more)["ETag"])

    def get(self, name: str, **more: Any) -> bytes:
        """Read an object."""
        return bytes(self.client.get_object(Bucket=self.name, Key=self.key(name), **more)["Body"].read())

    def delete(self, name: str) -> None:
        """Take an object away."""
        self.client.delete_object(Bucket=self.name, Key=self.key(name))

    def page(self, **more: Any) -> Answer:
        """List objects of this rule; the prefix that is given comes after the rule's."""
        prefix = self.prefix + more.pop("Prefix", "")
        return dict(self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, **more))

    def names(self, page: Answer) -> list[str]:
        """Return the names of what a page lists."""
        return [each["Key"].removeprefix(self.prefix) for each in page.get("Contents", [])]

    def parts(self, name: str, bodies: Sequence[bytes]) -> Answer:
        """Upload parts and return what completes them."""
        where = {"Bucket": self.name, "Key": self.key(name)}
        upload = {**where, "UploadId": self.client.create_multipart_upload(**where)["UploadId"]}
        etags = [
            self.client.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
            for number, body in enumerate(bodies, start=1)
        ]
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
        return {**upload, "MultipartUpload": {"Parts": parts}}


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Make calls as much at the same time as can be, and return what they gave or raised."""
    found: list[object] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def make(place: int) -> None:
        start.wait()
        try:
            found[place] = calls[place]()
        except Exception as error:  # noqa: BLE001  (it is what is looked at)
            found[place] = error

    threads = [threading.Thread(target=make, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
