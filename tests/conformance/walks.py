"""Random walks: the same calls to a twin and to a server, and their answers, which have to be the same up to ids.

What is known to differ is gone around: a walk asks no server for what `differences` says of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from lrtkit.wire import aws
from tests.conformance.desks import Answer, Queue
from tests.simulation.clock import START
from tests.simulation.letters import Place
from tests.simulation.s3 import S3Twin
from tests.simulation.sqs import SqsTwin

MOST = 10
"""Never more messages than one receive can take."""

LARGEST_BATCH = 4
LONG_S = 900
"""A lease that does not run out during a walk."""

Told = Any


def told(call: Callable[[], Told]) -> Told:
    """Return what a call gives, or what its refusal means for the kit."""
    try:
        return call()
    except ClientError as error:
        return aws.classify(error).__name__


@dataclass
class QueueWalk:
    """A walk on two queues. ``avoid`` names states of handles that a server treats otherwise."""

    twin: Queue
    server: Queue
    dice: random.Random
    avoid: Set[str] = frozenset()
    held: list[tuple[Answer, Answer]] = field(default_factory=list)
    sent: int = 0

    def step(self) -> tuple[str, Told, Told]:
        """Make one call to both, and return its name and what each told."""
        room = MOST - len(self.twin.client.look(self.twin.url).letters) >= LARGEST_BATCH
        sends = (self._send, self._send, self._batch) if room else ()
        return self.dice.choice((*sends, self._receive, self._change, self._change, self._delete))()

    def _send(self) -> tuple[str, Told, Told]:
        entry = self._entry()
        return self._both(
            f"send {entry}", lambda queue: queue.client.send_message(QueueUrl=queue.url, **entry) is not None
        )

    def _batch(self) -> tuple[str, Told, Told]:
        entries = [{"Id": str(place), **self._entry()} for place in range(self.dice.randint(1, LARGEST_BATCH))]

        def call(queue: Queue) -> Told:
            answer = queue.client.send_message_batch(QueueUrl=queue.url, Entries=entries)
            return [[each["Id"] for each in answer.get(part, [])] for part in ("Successful", "Failed")]

        return self._both(f"send {entries}", call)

    def _entry(self) -> dict[str, Any]:
        """Return a message of few groups and few ids, so that many are the same."""
        self.sent += 1
        group, once = self.dice.choice("abc"), self.dice.randint(1, 20)
        return {"MessageBody": str(self.sent), "MessageGroupId": group, "MessageDeduplicationId": str(once)}

    def _receive(self) -> tuple[str, Told, Told]:
        """Receive all that can be had, for which group comes first is up to the service."""
        ours, theirs = (
            sorted(queue.take(MOST, hold_s=LONG_S), key=lambda message: message["Attributes"]["MessageGroupId"])
            for queue in (self.twin, self.server)
        )
        self.held += zip(ours, theirs, strict=False)
        return "receive", list(map(_content, ours)), list(map(_content, theirs))

    def _change(self) -> tuple[str, Told, Told]:
        seconds = self.dice.choice((0, 0, LONG_S))
        return self._on_handle("extend" if seconds else "release", lambda queue, each: queue.hold(each, seconds))

    def _delete(self) -> tuple[str, Told, Told]:
        return self._on_handle("delete", Queue.delete)

    def _on_handle(self, name: str, call: Callable[[Queue, Answer], None]) -> tuple[str, Told, Told]:
        """Make a call on a handle of any age."""
        if not self.held:
            return "nothing", None, None
        ours, theirs = self.dice.choice(self.held)
        state = self._state(ours)
        if state in self.avoid or f"{name} {state}" in self.avoid:
            return "nothing", None, None
        return f"{name} {state}", told(lambda: call(self.twin, ours)), told(lambda: call(self.server, theirs))

    def _state(self, message: Answer) -> str:
        """Return what has become of a message and its handle."""
        letters = self.twin.client.look(self.twin.url).letters
        letter = letters.get(message["MessageId"])
        if not letter:
            return "deleted"
        if letter.receipt != message["ReceiptHandle"]:
            return "stale"
        if letter.place is not Place.IN_FLIGHT:
            return "lapsed"
        others = (each for each in letters.values() if each.group == letter.group and each is not letter)
        return "beside others" if any(each.place is Place.IN_FLIGHT for each in others) else "held"

    def _both(self, name: str, call: Callable[[Queue], Told]) -> tuple[str, Told, Told]:
        return name, told(lambda: call(self.twin)), told(lambda: call(self.server))


def _content(message: Answer) -> Told:
    attributes = message["Attributes"]
    names = ("MessageGroupId", "MessageDeduplicationId", "ApproximateReceiveCount")
    return message["Body"], *(attributes[name] for name in names)


@dataclass
class BucketWalk:
    """A walk on two buckets, which have to have the same ETags."""

    clients: tuple[Any, Any]
    bucket: str
    prefix: str
    dice: random.Random
    names: tuple[str, ...]
    etags: list[str] = field(default_factory=lambda: ['"9dd4e461268c8034f5c8564e155c67a6"'])

    def step(self) -> tuple[str, Told, Told]:
        """Make one call to both, and return its name and what each told."""
        moves = (self._put, self._put, self._put, self._get, self._head, self._delete, self._delete_many, self._list)
        name, call = self.dice.choice(moves)()
        ours, theirs = (told(partial(call, client)) for client in self.clients)
        return name, ours, theirs

    def _where(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + self.dice.choice(self.names)}

    def _put(self) -> tuple[str, Callable[[Any], Told]]:
        conditions: tuple[dict[str, str], ...] = (
            {},
            {"IfNoneMatch": "*"},
            {"IfMatch": self.dice.choice(self.etags)},
            {"IfMatch": self.etags[-1]},
        )
        asked = {**self._where(), **self.dice.choice(conditions), "Body": self.dice.randbytes(self.dice.randint(0, 3))}

        def call(client: Any) -> Told:
            try:
                self.etags.append(client.put_object(**asked)["ETag"])
            except ClientError as error:
                return "refused", error.response["Error"]["Code"] in {"NoSuchKey", "PreconditionFailed"}
            return self.etags[-1]

        return f"put {asked}", call

    def _get(self) -> tuple[str, Callable[[Any], Told]]:
        asked = self._where() | self.dice.choice(({}, {"IfMatch": self.dice.choice(self.etags)}))

        def call(client: Any) -> Told:
            answer = client.get_object(**asked)
            return answer["Body"].read(), answer["ETag"], answer["ContentLength"]

        return f"get {asked}", call

    def _head(self) -> tuple[str, Callable[[Any], Told]]:
        asked = self._where()
        return f"head {asked}", lambda client: client.head_object(**asked)["ETag"]

    def _delete(self) -> tuple[str, Callable[[Any], Told]]:
        asked = self._where()
        return f"delete {asked}", lambda client: client.delete_object(**asked) is not None

    def _delete_many(self) -> tuple[str, Callable[[Any], Told]]:
        keys = [self.prefix + name for name in self.dice.sample(self.names, 2)]
        delete = {"Objects": [{"Key": key} for key in keys]}

        def call(client: Any) -> Told:
            return sorted(each["Key"] for each in client.delete_objects(Bucket=self.bucket, Delete=delete)["Deleted"])

        return f"delete {keys}", call

    def _list(self) -> tuple[str, Callable[[Any], Told]]:
        after = {"StartAfter": self.prefix + self.dice.choice(self.names)}
        asked = {
            "Bucket": self.bucket,
            "Prefix": self.prefix + self.dice.choice(("", self.dice.choice(self.names)[:2])),
            "MaxKeys": self.dice.choice((1, 2, 1000)),
            **self.dice.choice(({}, {"Delimiter": "/"}, after)),  # both together are described nowhere
        }
        return f"list {asked}", lambda client: _pages(client, asked)


def _pages(client: Any, asked: dict[str, Any]) -> Told:
    """Return what all pages of a listing tell."""
    found = []
    while True:
        page = client.list_objects_v2(**asked)
        keys = [(each["Key"], each["ETag"], each["Size"]) for each in page.get("Contents", [])]
        found.append((keys, [each["Prefix"] for each in page.get("CommonPrefixes", [])]))
        if not page["IsTruncated"]:
            return found
        asked = {**asked, "ContinuationToken": page["NextContinuationToken"]}


def sqs_twin() -> SqsTwin:
    """Return a twin on which no time passes."""
    return SqsTwin(now=lambda: START, lag_s=0)


def s3_twin() -> S3Twin:
    """Return a twin on which no time passes, without R2's limit and without writes under way."""
    return S3Twin(now=lambda: START, answer_s=0, write_interval_s=0)
