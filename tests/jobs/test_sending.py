"""Sending: packed, paced, and repeated for what was refused for the moment alone."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lrtkit.connection import Cloud
from lrtkit.jobs import Sender
from lrtkit.jobs.sending import UNDER_WAY, Sink, batches
from lrtkit.wire import parcel
from lrtkit.wire.aws import CONNECTIONS
from lrtkit.wire.errors import BadInput, Denied, LrtError, NotFound, Throttled, Unavailable
from lrtkit.wire.job import Job
from lrtkit.wire.settings import Access, QueueSettings
from lrtkit.wire.sqs import LARGEST_BATCH, Outgoing, SqsQueue
from tests.serving import LOOPBACK, serving

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


def send(queue: Sink, made: Sequence[Outgoing]) -> int:
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


def test_attributes_weigh_too() -> None:
    """SQS counts the bytes of name, type and value of each attribute against the limit of a batch."""
    attributes = {"note": "ü" * 100_000}
    made = [Outgoing(f'{{"job_id":"exp/{number}"}}', f"exp/{number}", str(number), attributes) for number in range(10)]
    assert [len(batch) for batch in batches(made, MIB)] == [5, 5]
    assert made[0].size == len(made[0].body) + len("note") + len("String") + 200_000


def test_the_same_job_has_the_same_deduplication_id() -> None:
    """The queue drops a second sending; another job, or other values under the name, is another message."""
    (one,), (again,), (other,) = (next(batches(made, MIB)) for made in (jobs(1, n=1), jobs(1, n=1), jobs(1, n=2)))
    assert one.once == again.once != other.once


def test_only_what_failed_is_sent_again() -> None:
    """Of a batch of which two entries fail on the service's side, these two alone go again."""
    failing: dict[int, LrtError] = {2: Unavailable("internal error"), 7: Throttled("slow down")}
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


def test_patience_with_a_service_that_asks_for_fewer_calls() -> None:
    """A throttle is no failure: however often it comes, the jobs are sent, each once."""

    def throttle(call: int, _: Sequence[Outgoing]) -> dict[int, LrtError]:
        if call % 3:
            raise Throttled("slow down")
        return {}

    queue = Memory(throttle)
    assert send(queue, jobs(100)) == 100
    assert sorted(queue.taken) == sorted(message.group for message in jobs(100))


def test_jobs_are_asked_for_as_they_are_needed() -> None:
    """No more of them are held than the calls on their way carry, so that any number fits into memory."""
    queue = Memory()
    ahead: list[int] = []

    def made() -> Iterator[Outgoing]:
        for number, each in enumerate(jobs(3000)):
            ahead.append(number - len(queue.taken))
            yield each

    Sender(queue, lambda _: None, total=3000, largest=MIB).send(made())
    assert len(queue.taken) == 3000
    assert max(ahead) <= CONNECTIONS * LARGEST_BATCH + 1


def test_large_messages_do_not_crowd_the_line() -> None:
    """However many calls could be made at once, only so many bytes are on their way that a narrow line takes them."""
    under_way, most, lock = [0], [0], threading.Lock()

    class Narrow(Memory):
        def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
            size = sum(message.size for message in messages)
            with lock:
                under_way[0] += size
                most[0] = max(most[0], under_way[0])
            time.sleep(0.01)
            with lock:
                under_way[0] -= size
            return super().send_batch(messages)

    queue = Narrow()
    assert send(queue, jobs(60, text="x" * 900_000)) == 60
    assert 900_000 <= most[0] <= UNDER_WAY


class Service(ThreadingHTTPServer):
    """SQS on loopback, which answers well for so many calls and then as it is told to."""

    def __init__(self, calls: int, status: int, answer: Callable[[list[dict[str, str]]], dict[str, Any]]) -> None:
        super().__init__(LOOPBACK, Call)
        self.calls = calls
        self.then = (status, answer)
        self.taken: list[str] = []
        self.lock = threading.Lock()

    @property
    def queue(self) -> SqsQueue:
        """The queue as a submitter has it."""
        url = f"http://127.0.0.1:{self.server_address[1]}"
        jobs, dead = (f"{url}/000000000000/{name}.fifo" for name in ("jobs", "dead"))
        return SqsQueue(QueueSettings(jobs, dead, "us-east-1", Access("KEY", "secret"), url))


class Call(BaseHTTPRequestHandler):
    """One SendMessageBatch."""

    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        """Answer it."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.calls -= 1
            status, answer = (200, took) if self.server.calls >= 0 else self.server.then
            told = answer(asked["Entries"])
            taken = {entry["Id"] for entry in told.get("Successful", [])}
            self.server.taken += [entry["MessageGroupId"] for entry in asked["Entries"] if entry["Id"] in taken]
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def took(entries: list[dict[str, str]]) -> dict[str, Any]:
    told = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for entry in entries]
    return {"Successful": told, "Failed": []}


@contextmanager
def served(calls: int, answer: Callable[..., dict[str, Any]] = took, status: int = 200) -> Iterator[Service]:
    service = Service(calls, status, answer)
    with serving(service):
        yield service


@pytest.mark.parametrize(
    ("status", "code", "words", "kind"),
    [
        (403, "com.amazon.coral.service#ExpiredTokenException", "The security token has expired", Denied),
        (403, "com.amazon.coral.service#AccessDeniedException", "User is not authorized to sqs:sendmessage", Denied),
        (400, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.", NotFound),
    ],
)
def test_what_lasts_ends_the_sending_with_what_was_sent(
    status: int, code: str, words: str, kind: type[LrtError]
) -> None:
    """A key that expires or a queue that goes in the middle is told at once, with the true number of jobs sent."""
    with served(7, lambda _: {"__type": code, "message": words}, status) as service:
        with pytest.raises(kind, match=words) as caught:
            send(service.queue, jobs(1000))
        assert str(caught.value).startswith(f"{len(service.taken)} of 1,000 jobs were sent, then: cannot send to ")
        assert str(caught.value).count("Try: ") == 1
        assert len(service.taken) == 70
        assert service.calls >= -CONNECTIONS


def test_throttles_of_the_real_service_slow_the_sending() -> None:
    """What SQS calls a throttle is one to us: it is waited out, and not repeated by anybody else meanwhile."""
    state = {"left": 5}

    def throttle(entries: list[dict[str, str]]) -> dict[str, Any]:
        state["left"] -= 1
        return {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Rate exceeded"}

    with served(0, throttle, 400) as service:
        with pytest.raises(Throttled, match="Rate exceeded"):
            service.queue.send_batch(jobs(1))
        assert (service.calls, state["left"]) == (-1, 4)


def test_what_an_answer_does_not_mention_was_not_taken() -> None:
    """Half an answer, as of a proxy, is no promise: what it does not tell of is sent again."""
    with served(0, lambda entries: took(entries[::2])) as service:
        found = service.queue.send_batch(jobs(4))
        assert found.keys() == {1, 3}
        assert all(type(error) is Unavailable for error in found.values())
    with served(0, lambda entries: took(entries[:1])) as service:
        assert send(service.queue, jobs(3)) == 3
        assert service.taken == ["exp/0", "exp/1", "exp/2"]
