"""Sending: packed, paced, and repeated for what was refused for the moment alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from lrtkit.connection import Cloud
from lrtkit.jobs import Sender
from lrtkit.jobs.sending import batches
from lrtkit.wire import parcel
from lrtkit.wire.errors import BadInput, Denied, LrtError, Throttled, Unavailable
from lrtkit.wire.job import Job
from lrtkit.wire.sqs import Outgoing

MIB = 1024 * 1024


def jobs(count: int, **fields: object) -> list[Outgoing]:
    return [message(Job({"job_id": f"exp/{number}", **fields})) for number in range(count)]


def message(job: Job) -> Outgoing:
    return parcel.whole(job).outgoing()


class Memory:
    """A queue that keeps what it takes; ``answer`` says what each batch meets."""

    calls_per_s = 300.0

    def __init__(self, answer: Callable[[int, Sequence[Outgoing]], dict[int, LrtError]] = lambda *_: {}) -> None:
        self.calls = 0
        self.taken: list[str] = []
        self._answer = answer
        self._lock = threading.Lock()

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Take what is not refused."""
        with self._lock:
            self.calls += 1
            refused = self._answer(self.calls, messages)
            self.taken += [message.group for place, message in enumerate(messages) if place not in refused]
            return refused


def send(queue: Memory, made: Sequence[Outgoing]) -> int:
    counts: list[int] = []
    Sender(queue, counts.append, total=len(made), largest=MIB).send(made)
    return sum(counts)


def test_batches_are_packed_by_ten() -> None:
    """As few calls as can be, in the order of the table."""
    packed = list(batches(jobs(25), MIB))
    assert [len(batch) for batch in packed] == [10, 10, 5]
    assert [message.group for batch in packed for message in batch] == [f"exp/{number}" for number in range(25)]


def test_batches_are_packed_by_weight() -> None:
    """A call never carries more bytes than the service takes, and a large job goes alone."""
    sizes = [300_000, 300_000, 500_000, 1_000_000, 10]
    made = [message(Job({"job_id": f"exp/{number}", "text": "ü" * (size // 2)})) for number, size in enumerate(sizes)]
    packed = list(batches(made, MIB))
    assert [len(batch) for batch in packed] == [2, 1, 2]
    assert all(sum(len(message.body.encode()) for message in batch) <= MIB for batch in packed)


def test_the_same_job_has_the_same_deduplication_id() -> None:
    """The queue drops a second sending; another job, or other values under the name, is another message."""
    (one,), (again,), (other,) = (next(batches(made, MIB)) for made in (jobs(1, n=1), jobs(1, n=1), jobs(1, n=2)))
    assert one.once == again.once != other.once


def test_only_what_failed_is_sent_again() -> None:
    """Of a batch of which two entries fail on the service's side, these two alone go again."""
    failing = {2: Unavailable("internal error"), 7: Throttled("slow down")}
    queue = Memory(lambda call, _: failing if call == 1 else {})
    assert send(queue, jobs(10)) == 10
    assert (queue.calls, Counter(queue.taken).most_common(1)[0][1], len(queue.taken)) == (2, 1, 10)


def test_throttles_are_waited_out() -> None:
    """A call that is refused as a whole is made again."""

    def throttle(call: int, _: Sequence[Outgoing]) -> dict[int, LrtError]:
        if call <= 2:
            raise Throttled("slow down")
        return {}

    queue = Memory(throttle)
    assert send(queue, jobs(5)) == 5
    assert queue.calls == 3


def test_a_lasting_refusal_ends_the_sending() -> None:
    """An error that no repetition mends is told at once, with how far it came and what to do."""

    def deny(call: int, _: Sequence[Outgoing]) -> dict[int, LrtError]:
        if call == 3:
            raise Denied("cannot send to jobs.fifo: the key has expired")
        return {}

    queue = Memory(deny)
    with pytest.raises(Denied) as caught:
        send(queue, jobs(1000))
    assert str(caught.value).endswith(
        " of 1,000 jobs were sent, then: cannot send to jobs.fifo: the key has expired. "
        "Try: submit the same table again, which sends only what is not known to be queued"
    )
    assert queue.calls < 100


def test_an_entry_that_is_refused_for_good() -> None:
    """An entry's own fault is not tried again, and the others of its batch are sent."""
    queue = Memory(lambda *_: {0: BadInput("cannot send to jobs.fifo: invalid characters")})
    with pytest.raises(BadInput, match=r"2 of 3 jobs were sent, then: cannot send to jobs\.fifo: invalid characters"):
        send(queue, jobs(3))
    assert queue.calls == 1


def test_every_job_arrives(cloud: Cloud) -> None:
    """On a real queue, all of several batches are there, each in its own group."""
    made = jobs(25, steps=5)
    Sender(cloud.queue, lambda _: None, total=25, largest=MIB).send(made)
    assert cloud.queue.depth().waiting == 25
    found = cloud.queue.receive(lease_s=30, wait_s=1, attempt_id="a")
    assert found is not None
    assert found.body in {each.body for each in made if each.group == found.group}
