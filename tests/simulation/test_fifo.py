"""The queue of the twin, which is quick, against one that is plain: in passing time both answer alike."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulation.clock import START
from tests.simulation.letters import Place
from tests.simulation.sqs import SqsTwin

RETENTION_S = 3_000
DEDUPLICATION_S = 300
CAP_S = 43_200
STEPS = 1_500
MAX_RECEIVES = 4


@dataclass
class Plain:
    """A message."""

    body: str
    group: str
    sent: float
    receives: int = 0
    visible_at: float = 0.0
    received: float = 0.0


@dataclass
class PlainQueue:
    """A FIFO queue that looks at everything every time."""

    dead: list[str] = field(default_factory=list)
    messages: list[Plain] = field(default_factory=list)
    sent: dict[str, float] = field(default_factory=dict)

    def at(self, now: float) -> None:
        """Forget what is too old."""
        self.messages = [each for each in self.messages if now < each.sent + RETENTION_S]

    def send(self, body: str, group: str, once: str, now: float) -> None:
        """Put a message at the end, unless the same was sent in the last five minutes."""
        if now >= self.sent.get(once, -DEDUPLICATION_S) + DEDUPLICATION_S:
            self.sent[once] = now
            self.messages.append(Plain(body, group, now))

    def receive(self, most: int, hold_s: float, now: float) -> list[tuple[str, int]]:
        """Take what can be taken, the group with the oldest message first, and bury what was received too often."""
        taken: list[Plain] = []
        while head := self._head({each.group for each in taken}, now):
            group = [each for each in self.messages if each.group == head.group]
            for message in group[: most - len(taken)]:
                if message.receives >= MAX_RECEIVES:
                    self.messages.remove(message)
                    self.dead.append(message.body)
                else:
                    message.receives += 1
                    message.received, message.visible_at = now, now + hold_s
                    taken.append(message)
            if len(taken) == most:
                break
        return [(each.body, each.receives) for each in taken]

    def _head(self, others: set[str], now: float) -> Plain | None:
        busy = others | {each.group for each in self.messages if each.visible_at > now}
        return next((each for each in self.messages if each.group not in busy), None)

    def held(self, body: str, receives: int, now: float) -> Plain | None:
        """Return the message of a handle that is still good."""
        found = (each for each in self.messages if (each.body, each.receives) == (body, receives))
        return next((each for each in found if each.visible_at > now), None)

    def change(self, body: str, receives: int, seconds: float, now: float) -> bool:
        """Hide a message for so long from now; tell whether that could be done."""
        message = self.held(body, receives, now)
        if not message or now + seconds > message.received + CAP_S:
            return False
        message.visible_at = now + seconds
        return True

    def delete(self, body: str, receives: int, now: float) -> bool:
        """Take a message away; tell whether that could be done, or has been."""
        message = self.held(body, receives, now)
        if message:
            self.messages.remove(message)
        return bool(message) or body not in [each.body for each in self.messages]

    def counts(self, now: float) -> tuple[int, int]:
        """Return how many wait and how many are in flight."""
        in_flight = sum(each.visible_at > now for each in self.messages)
        return len(self.messages) - in_flight, in_flight


class Walk:
    """The same calls to both, while time goes on."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.now = START
        self.plain = PlainQueue()
        self.handles: dict[tuple[str, int], str] = {}
        self.twin = SqsTwin(now=lambda: self.now)
        self.dead = self._queue("dead.fifo")
        arn = self.twin.look(self.dead).arn
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {MAX_RECEIVES}}}'
        self.url = self._queue("jobs.fifo", RedrivePolicy=policy, MessageRetentionPeriod=str(RETENTION_S))

    def _queue(self, name: str, **attributes: str) -> str:
        return str(self.twin.create_queue(QueueName=name, Attributes={"FifoQueue": "true", **attributes})["QueueUrl"])

    def step(self) -> None:
        """Make one call to both, or let time pass, and compare."""
        self.dice.choice(
            (self._send, self._send, self._receive, self._receive, self._change, self._delete, self._wait)
        )()
        self.plain.at(self.now)
        counts = self.twin.look(self.url).counts
        assert (counts[Place.VISIBLE], counts[Place.IN_FLIGHT]) == self.plain.counts(self.now)
        assert [letter.body for letter in self.twin.look(self.dead).letters.values()] == self.plain.dead

    def _wait(self) -> None:
        self.now += self.dice.choice((1, 10, 60, 300, 1_000))
        self.plain.at(self.now)

    def _send(self) -> None:
        body, group, once = str(self.dice.random()), self.dice.choice("abcd"), str(self.dice.randint(1, 30))
        self.plain.send(body, group, once, self.now)
        ids = {"MessageGroupId": group, "MessageDeduplicationId": once}
        self.twin.send_message(QueueUrl=self.url, MessageBody=body, **ids)

    def _receive(self) -> None:
        most, hold_s = self.dice.randint(1, 4), self.dice.choice((0, 30, 60, 600))
        answer = self.twin.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=most, VisibilityTimeout=hold_s, AttributeNames=["All"]
        )
        found = {_key(each): each["ReceiptHandle"] for each in answer.get("Messages", [])}
        assert list(found) == self.plain.receive(most, hold_s, self.now)
        self.handles |= found

    def _change(self) -> None:
        seconds = self.dice.choice((0, 30, 60, 600, CAP_S))
        self._on_handle("change_message_visibility", self.plain.change, (seconds,), VisibilityTimeout=seconds)

    def _delete(self) -> None:
        self._on_handle("delete_message", self.plain.delete, ())

    def _on_handle(self, operation: str, plainly: Any, args: tuple[float, ...], **asked: float) -> None:
        if not self.handles:
            return
        key = self.dice.choice(list(self.handles)[-12:])
        try:
            getattr(self.twin, operation)(QueueUrl=self.url, ReceiptHandle=self.handles[key], **asked)
            done = True
        except ClientError:
            done = False
        assert done == plainly(*key, *args, self.now)


def _key(message: dict[str, Any]) -> tuple[str, int]:
    return message["Body"], int(message["Attributes"]["ApproximateReceiveCount"])


@pytest.mark.parametrize("seed", range(8))
def test_the_quick_queue_answers_as_the_plain_one(seed: int) -> None:
    """Whatever is sent, received, extended, released and deleted, early, late or never."""
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
    assert walk.plain.dead
