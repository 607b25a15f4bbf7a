"""Virtual time, and a queue that lives in it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lrtkit.wire.errors import LeaseCapped, LeaseLost, Unavailable
from lrtkit.wire.sqs import LEASE_CAP_S, Message, Outgoing

T = TypeVar("T")

EPOCH_S = 1_800_000_000.0
LONGEST_STILL = 1_000
"""Turns of the loop after which time goes on although somebody never waits, so that the others can fail."""


class _Jump(selectors.SelectSelector):
    """Waits by setting the time forward."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = 0.0
        self._still_turns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.time_s += timeout or 0.0
        self._still_turns = 0 if timeout else self._still_turns + 1
        if self._still_turns > LONGEST_STILL:
            self.time_s += 1
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.time_s


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(story)


class VirtualClock:
    """The loop's time; a call has its effect at once, and its answer takes ``latency_s`` to come."""

    def __init__(self) -> None:
        self.latency_s = 0.0

    def now(self) -> float:
        """Return the time of day."""
        return EPOCH_S + self.monotonic()

    def monotonic(self) -> float:
        """Return the seconds since the story began."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a call."""
        answer = call(*args, **kwargs)
        await asyncio.sleep(self.latency_s)
        return answer


@dataclass
class _Held:
    message: Message
    visible_at: float
    received_at: float = 0.0


class VirtualQueue:
    """A FIFO queue as far as leases go: time-outs, receipts, the twelve hours, deduplication for five minutes."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._held: list[_Held] = []
        self._sent: dict[str, float] = {}
        self._receipts = 0
        self.is_down = False
        self.polls: list[int] = []

    def visible(self) -> list[Message]:
        """Return the messages that somebody could receive."""
        return [each.message for each in self._held if each.visible_at <= self._clock.monotonic()]

    def receive(self, *, lease_s: float, wait_s: int, attempt_id: str) -> Message | None:  # noqa: ARG002
        """Take the first visible message, without waiting; no answer is ever lost, so ``attempt_id`` plays no part."""
        self._answer()
        self.polls.append(wait_s)
        for each in self._held:
            if each.visible_at <= self._clock.monotonic():
                self._receipts += 1
                each.message = replace(each.message, receipt=f"receipt-{self._receipts}")
                each.received_at = self._clock.monotonic()
                each.visible_at = each.received_at + lease_s
                return each.message
        return None

    def extend(self, receipt: str, lease_s: float) -> None:
        """Let the lease run on from now."""
        held = self._find(receipt)
        if self._clock.monotonic() + lease_s > held.received_at + LEASE_CAP_S:
            raise LeaseCapped("Total VisibilityTimeout for the message is beyond the limit")
        held.visible_at = self._clock.monotonic() + lease_s

    def release(self, receipt: str, delay_s: float = 0) -> None:
        """Give the message back."""
        self._find(receipt).visible_at = self._clock.monotonic() + delay_s

    def delete(self, receipt: str) -> None:
        """Acknowledge the message."""
        self._held.remove(self._find(receipt))

    def send(self, message: Outgoing) -> None:
        """Send one message, unless it was sent in the last five minutes."""
        self._answer()
        now = self._clock.monotonic()
        if now - self._sent.get(message.once, -300.0) >= 300:
            self._sent[message.once] = now
            kept = Message(message.body, "", message.once, message.group, 1, self._clock.now(), message.attributes)
            self._held.append(_Held(kept, now))

    def send_dead(self, message: Outgoing) -> None:
        """Send one message to where these tests do not look."""

    def _find(self, receipt: str) -> _Held:
        self._answer()
        for each in self._held:
            if each.message.receipt == receipt and each.visible_at > self._clock.monotonic():
                return each
        raise LeaseLost("The receipt handle has expired")

    def _answer(self) -> None:
        if self.is_down:
            raise Unavailable("connection refused")
