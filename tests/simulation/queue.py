"""A twin of an SQS FIFO queue and its dead-letter queue, in memory and in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from lrtkit.wire.errors import LeaseCapped, LeaseLost
from lrtkit.wire.sqs import LEASE_CAP_S, Message, Outgoing
from tests.simulation.clock import START, Blocked, Meter

ANSWER_S = 0.03
DEDUPLICATION_S = 300


@dataclass
class Held:
    """A message in the queue: hidden until ``visible_at``, and held by whoever has the latest receipt."""

    message: Outgoing
    message_id: str
    sent: float
    visible_at: float = 0.0
    received: float = 0.0
    receives: int = 0

    @property
    def receipt(self) -> str:
        """The handle that the latest receive gave."""
        return f"{self.message_id}/{self.receives}"


class QueueTwin:
    """Behaves as SQS FIFO does where a worker can see it; ``calls`` counts the requests."""

    def __init__(self, meter: Meter) -> None:
        self.calls: Counter[str] = Counter()
        self.dead: list[Outgoing] = []
        self._meter = meter
        self._held: list[Held] = []
        self._sent: dict[str, float] = {}
        self._polls: dict[str, float] = {}
        self._news = asyncio.Event()

    def receive(self, *, lease_s: float, wait_s: int, attempt_id: str) -> Message | None:
        """Take the oldest visible message of a group of which none is held, waiting for one."""
        now = self._now()
        if attempt_id not in self._polls:
            self.calls["receive"] += 1
        deadline = self._polls.setdefault(attempt_id, now + wait_s)
        found = self._first_visible(now)
        if not found and now < deadline:
            raise self._blocked(deadline)
        del self._polls[attempt_id]
        return self._taken(found, now, lease_s) if found else None

    def extend(self, receipt: str, lease_s: float) -> None:
        """Hide a message for so long from now."""
        self._change("extend", receipt, lease_s)

    def release(self, receipt: str, delay_s: float = 0) -> None:
        """Give a message back."""
        self._change("release", receipt, delay_s)

    def delete(self, receipt: str) -> None:
        """Take a message out of the queue."""
        self._meet("delete")
        self._held.remove(self._own(receipt))
        self._tell()

    def send(self, message: Outgoing) -> None:
        """Put a message into the queue, unless the same was sent within five minutes."""
        self._meet("send")
        now = self._now()
        if now - self._sent.get(message.once, -DEDUPLICATION_S) >= DEDUPLICATION_S:
            self._sent[message.once] = now
            self._held.append(Held(message, f"m{len(self._sent)}", now))
            self._tell()

    def send_dead(self, message: Outgoing) -> None:
        """Put a message into the dead-letter queue."""
        self._meet("send_dead")
        self.dead.append(message)

    def _change(self, call: str, receipt: str, seconds: float) -> None:
        self._meet(call)
        held, now = self._own(receipt), self._now()
        if now + seconds > held.received + LEASE_CAP_S:
            raise LeaseCapped("Total VisibilityTimeout for the message is beyond the limit")
        held.visible_at = now + seconds
        self._tell()

    def _own(self, receipt: str) -> Held:
        for held in self._held:
            if held.receipt == receipt and held.visible_at > self._now():
                return held
        raise LeaseLost("The receipt handle has expired")

    def _first_visible(self, now: float) -> Held | None:
        busy = {held.message.group for held in self._held if held.visible_at > now}
        return next((held for held in self._held if held.message.group not in busy), None)

    def _taken(self, held: Held, now: float, lease_s: float) -> Message:
        self._meter.spend(ANSWER_S)
        held.receives += 1
        held.received, held.visible_at = now, now + lease_s
        message = held.message
        return Message(
            body=message.body,
            receipt=held.receipt,
            message_id=held.message_id,
            group=message.group,
            receive_count=held.receives,
            sent_at=START + held.sent,
            attributes=message.attributes,
        )

    def _blocked(self, deadline: float) -> Blocked:
        """Let a poll look again at the next news, or when a hidden message becomes visible."""
        ends = [held.visible_at for held in self._held if held.visible_at > self._now()]
        return Blocked(self._news, min([deadline, *ends]))

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _meet(self, call: str) -> None:
        self.calls[call] += 1
        self._meter.spend(ANSWER_S)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
