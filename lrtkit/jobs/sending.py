"""Jobs on their way into the queue: packed, in parallel, at the rate that the service allows."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Protocol

from lrtkit.jobs.pace import Pace
from lrtkit.wire.aws import CONNECTIONS
from lrtkit.wire.errors import LrtError, Throttled, Unavailable
from lrtkit.wire.sqs import LARGEST_BATCH, Outgoing

SMALLEST_BATCH_LIMIT = 256 * 1024
LARGEST_BATCH_LIMIT = 1024 * 1024

TRIES = 7
"""How often a message is sent to a service that fails; one that asks for fewer calls is asked as long as it does."""

FIRST_BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 10.0


UNDER_WAY = 4 * 1024 * 1024
"""Bytes that are on their way at once: more would keep a home's line so busy that calls time out."""


class Sink(Protocol):
    """What sending needs of the queue."""

    @property
    def calls_per_s(self) -> float:
        """How many calls a second the queue takes."""

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Send up to ten messages in one call; return the error of each that was refused, by its place."""


class Room:
    """Room for so many bytes, shared by threads."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._change = threading.Condition()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Wait until so much is free, and take it for a while."""
        with self._change:
            self._change.wait_for(lambda: self._left >= size)
            self._left -= size
        try:
            yield
        finally:
            with self._change:
                self._left += size
                self._change.notify_all()


class Sender:
    """Sends messages to a queue, many calls at once, and keeps its pace from one lot to the next.

    ``total`` is how many there are in all, ``largest`` the size of the queue's largest message in bytes;
    ``on_sent`` is called with how many more have been taken.
    """

    def __init__(self, queue: Sink, on_sent: Callable[[int], object], *, total: int, largest: int) -> None:
        self._queue = queue
        self._on_sent = on_sent
        self._total = total
        self._largest = largest
        self._sent = 0
        self._pace = Pace(queue.calls_per_s)
        self._room = Room(UNDER_WAY)
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def send(self, messages: Iterable[Outgoing]) -> None:
        """Send every message, of which only those next in turn are held; raise the first error that stays.

        Nothing is on its way any more when this returns or raises.
        """
        try:
            self._send_all(batches(messages, self._largest))
        except LrtError as error:
            cause, _, advice = str(error).partition(". Try: ")
            raise type(error)(
                f"{self._sent:,} of {self._total:,} jobs were sent, then: {cause}. "
                f"Try: {f'{advice}, then ' if advice else ''}submit the same table again, "
                "which sends only what is not known to be queued"
            ) from error

    def _send_all(self, left: Iterator[list[Outgoing]]) -> None:
        self._stop.clear()
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="send") as threads:
            try:
                for ended in as_completed([threads.submit(self._work, left) for _ in range(CONNECTIONS)]):
                    ended.result()
            finally:
                self._stop.set()

    def _work(self, left: Iterator[list[Outgoing]]) -> None:
        """Send one batch after the other, as long as any is left."""
        while batch := self._next(left):
            self._send(batch)

    def _next(self, left: Iterator[list[Outgoing]]) -> list[Outgoing] | None:
        with self._lock:
            return None if self._stop.is_set() else next(left, None)

    def _send(self, batch: list[Outgoing]) -> None:
        """Send a batch, and again what was refused for the moment."""
        failures = 0
        while batch:
            with self._turn:  # one at a time, so that nobody waits for a place of a pace that is over
                self._stop.wait(self._pace.wait_s())
            if self._stop.is_set():
                return
            refused, error = self._try(batch)
            self._count(len(batch) - len(refused))
            batch = refused
            failures += not isinstance(error, Throttled)
            if error and (failures == TRIES or not isinstance(error, Unavailable)):
                self._stop.set()
                raise error
            if error:
                self._stop.wait(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**failures) * random.uniform(0.5, 1))

    def _count(self, taken: int) -> None:
        with self._lock:
            self._sent += taken
            self._on_sent(taken)

    def _try(self, batch: list[Outgoing]) -> tuple[list[Outgoing], LrtError | None]:
        """Return what was refused, and the error that has to be dealt with first; let the pace know."""
        try:
            with self._room.taken(sum(message.size for message in batch)):
                refused = self._queue.send_batch(batch)
        except Unavailable as error:
            refused = dict.fromkeys(range(len(batch)), error)
        if any(isinstance(error, Unavailable) for error in refused.values()):
            self._pace.refused()
        else:
            self._pace.answered()
        lasting = (error for error in refused.values() if not isinstance(error, Unavailable))
        return [batch[place] for place in sorted(refused)], next(lasting, next(iter(refused.values()), None))


def batches(messages: Iterable[Outgoing], largest: int) -> Iterator[list[Outgoing]]:
    """Pack messages in their order, by ten and by what a batch may weigh.

    A queue with an old, smaller limit is not trusted with batches larger than that limit was.
    """
    limit = min(LARGEST_BATCH_LIMIT, max(SMALLEST_BATCH_LIMIT, largest))
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        weight = message.size
        if batch and (len(batch) == LARGEST_BATCH or size + weight > limit):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += weight
    if batch:
        yield batch
