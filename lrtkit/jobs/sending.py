"""Jobs on their way into the queue: packed, in parallel, at the rate that the service allows."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import MappingProxyType
from typing import Protocol

from lrtkit.wire.errors import LrtError, Unavailable
from lrtkit.wire.job import Job
from lrtkit.wire.sqs import Outgoing, once

CALLS_PER_S = 300
"""What SQS takes of one FIFO queue, for each kind of call."""

BATCH = 10
SMALLEST_BATCH_LIMIT = 256 * 1024
LARGEST_BATCH_LIMIT = 1024 * 1024

THREADS = 16
TRIES = 7
NOTHING: Mapping[str, str] = MappingProxyType({})

FIRST_BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 10.0


class Sink(Protocol):
    """What sending needs of the queue."""

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Send up to ten messages in one call; return the error of each that was refused, by its place."""


class Pace:
    """Lets calls pass at a rate; after a pause, a tenth of a second's worth of them at once."""

    def __init__(self, calls_per_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = 1 / calls_per_s
        self._now = now
        self._lock = threading.Lock()
        self._next = now()

    def wait_s(self) -> float:
        """Take the next place in the row, and return how long it is until then."""
        with self._lock:
            now = self._now()
            place = max(self._next, now - 0.1)
            self._next = place + self._interval_s
        return max(0.0, place - now)


class Sender:
    """Sends batches to a queue until all of them are taken or it is told to stop."""

    def __init__(self, queue: Sink) -> None:
        self._queue = queue
        self._pace = Pace(CALLS_PER_S)
        self._stop = threading.Event()

    def send(
        self, jobs: Sequence[Job], on_sent: Callable[[int], object], *, largest: int, again: Mapping[str, str] = NOTHING
    ) -> None:
        """Send every job, calling ``on_sent`` with how many more have been; raise the first error that stays.

        ``largest`` is the size of the queue's largest message in bytes; ``again`` has, by its id, what makes
        a job's message another than one that was sent before. Nothing is on its way any
        more when this returns or raises.
        """
        sent = 0
        with ThreadPoolExecutor(THREADS, thread_name_prefix="send") as threads:
            futures = [threads.submit(self._send, batch) for batch in batches(jobs, largest, again)]
            try:
                for future in as_completed(futures):
                    count = future.result()
                    sent += count
                    on_sent(count)
            except LrtError as error:
                raise type(error)(
                    f"{sent:,} of {len(jobs):,} jobs were sent, then: {error}. "
                    "Try: submit the same table again, which sends only what is not known to be queued"
                ) from error
            finally:
                self._stop.set()
                threads.shutdown(cancel_futures=True)

    def _send(self, batch: list[Outgoing]) -> int:
        """Send a batch, and again what was refused for the moment; return how many messages it had."""
        left, tries = batch, 0
        while True:
            tries += 1
            self._stop.wait(self._pace.wait_s())
            left, error = self._try(left)
            if error is None or self._stop.is_set():
                return len(batch) - len(left)
            if tries == TRIES or not isinstance(error, Unavailable):
                raise error
            self._stop.wait(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**tries) * random.uniform(0.5, 1))

    def _try(self, batch: list[Outgoing]) -> tuple[list[Outgoing], LrtError | None]:
        """Return what was refused, and the error that has to be dealt with first."""
        try:
            refused = self._queue.send_batch(batch)
        except Unavailable as error:
            return batch, error
        lasting = (error for error in refused.values() if not isinstance(error, Unavailable))
        return [batch[place] for place in sorted(refused)], next(lasting, next(iter(refused.values()), None))


def batches(jobs: Sequence[Job], largest: int, again: Mapping[str, str] = NOTHING) -> Iterator[list[Outgoing]]:
    """Pack jobs in their order, by ten and by what a batch may weigh.

    A queue with an old, smaller limit is not trusted with batches larger than that limit was.
    """
    limit = min(LARGEST_BATCH_LIMIT, max(SMALLEST_BATCH_LIMIT, largest))
    batch: list[Outgoing] = []
    size = 0
    for job in jobs:
        marks = [again[job.job_id]] if job.job_id in again else []
        message = Outgoing(job.body, job.job_id, once(job.job_id, job.fingerprint, *marks))
        weight = len(message.body.encode())
        if batch and (len(batch) == BATCH or size + weight > limit):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += weight
    if batch:
        yield batch
