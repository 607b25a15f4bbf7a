"""The twins where no server can be asked: in virtual time, and in what they draw by lot."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lrtkit.wire.errors import Conflict, LrtError
from lrtkit.wire.sqs import Depth, Message, Outgoing
from tests.simulation.clock import START, VirtualClock
from tests.simulation.cloud import CloudTwin
from tests.simulation.loop import run
from tests.simulation.s3 import S3Twin
from tests.simulation.s3_account import ANSWER_S as S3_ANSWER_S
from tests.simulation.sqs import SqsTwin
from tests.simulation.sqs_account import ANSWER_S

MESSAGE = Outgoing("x", "a", "once")


def poll(cloud: CloudTwin, *, lease_s: float = 100, wait_s: int = 20) -> Coroutine[Any, Any, Message | None]:
    """Return a poll as a worker makes it."""
    clock = VirtualClock(cloud.meter)
    attempt_id = str(cloud.sqs.calls.total())
    return clock.run(cloud.queue.receive, lease_s=lease_s, wait_s=wait_s, attempt_id=attempt_id)


def test_a_poll_is_woken_by_a_message() -> None:
    """It has its answer when the message has come, and was one call."""

    async def story() -> None:
        cloud = CloudTwin()
        polling = asyncio.create_task(poll(cloud))
        await asyncio.sleep(7)
        cloud.queue.send(MESSAGE)
        cloud.meter.read()
        assert await polling
        assert asyncio.get_running_loop().time() == pytest.approx(7 + ANSWER_S)
        assert cloud.sqs.calls == {"ReceiveMessage": 1, "SendMessage": 1}

    run(story())


def test_a_poll_is_woken_by_the_end_of_a_lease() -> None:
    """Nobody has to send anything for a message to come back."""

    async def story() -> None:
        cloud = CloudTwin()
        cloud.queue.send(MESSAGE)
        await poll(cloud, lease_s=10)
        assert await poll(cloud, lease_s=10)
        assert asyncio.get_running_loop().time() == pytest.approx(10 + ANSWER_S, abs=0.1)
        assert await poll(cloud, wait_s=5) is None
        assert asyncio.get_running_loop().time() == pytest.approx(15 + 2 * ANSWER_S, abs=0.1)

    run(story())


def test_a_poll_for_dead_letters_is_woken_by_one() -> None:
    """A message that moves there is news there."""

    async def story() -> None:
        cloud = CloudTwin(max_receives=1)
        polling = asyncio.create_task(VirtualClock(cloud.meter).run(cloud.queue.receive_dead, hold_s=5, wait_s=20))
        cloud.queue.send(MESSAGE)
        await poll(cloud, lease_s=3)
        assert await poll(cloud, wait_s=6) is None
        assert [letter.body for letter in await polling] == ["x"]
        assert asyncio.get_running_loop().time() < 10

    run(story())


def test_a_message_that_moved_leaves_nothing_behind() -> None:
    """The end of a lease that it once had in the queue does not meet it in the dead-letter queue."""
    now = START
    cloud = CloudTwin(now=lambda: now, max_receives=1)
    for group in "ab":
        cloud.queue.send(Outgoing("x", group, group))
    assert cloud.queue.receive(lease_s=500, wait_s=0, attempt_id="0")
    message = cloud.queue.receive(lease_s=600, wait_s=0, attempt_id="1")
    assert message
    cloud.queue.release(message.receipt)
    assert cloud.queue.receive(lease_s=600, wait_s=0, attempt_id="2") is None
    assert cloud.queue.receive_dead(hold_s=600, wait_s=0)
    now += 600
    assert cloud.queue.receive(lease_s=600, wait_s=0, attempt_id="3") is None
    assert cloud.queue.receive_dead(hold_s=600, wait_s=0)


def depths(seed: int) -> list[Depth]:
    """Return what is told of a queue, second by second, after three messages were sent at once."""
    now = START
    cloud = CloudTwin(now=lambda: now, seed=seed)
    now += 100
    for group in "abc":
        cloud.queue.send(Outgoing("x", group, group))
    told = []
    for _ in range(100):
        told.append(cloud.queue.depth())
        now += 1
    return told


def test_counts_lag_by_up_to_a_minute() -> None:
    """They are those of an earlier moment, drawn anew each time, and settle; one seed tells one story."""
    told = depths(1)
    assert {depth.waiting for depth in told[1:59]} == {0, 3}
    assert {depth.waiting for depth in told[60:]} == {3}
    assert told == depths(1) != depths(2)


def refusals(call: Callable[[], object], times: int) -> set[str]:
    """Return the codes with which a call is refused."""
    found = set()
    for _ in range(times):
        with pytest.raises(LrtError) as caught:
            call()
        assert isinstance(caught.value, Conflict)
        found.add(caught.value.__cause__.response["Error"]["Code"])  # type: ignore[union-attr]
    return found


def test_a_write_that_meets_another_is_refused_one_way_or_the_other() -> None:
    """While another is under way a conditional write gets 412 or 409; later it gets 412."""
    now = START
    cloud = CloudTwin(now=lambda: now)
    etag = cloud.store.swap("a", b"1", None)
    now += 10
    cloud.store.swap("a", b"2", etag)
    late = (lambda: cloud.store.swap("a", b"3", etag), 20)
    assert refusals(*late) == {"PreconditionFailed", "ConditionalRequestConflict"}
    now += 2 * S3_ANSWER_S
    assert refusals(*late) == {"PreconditionFailed"}


def test_the_kit_goes_around_no_client_that_was_handed_in() -> None:
    """The fast way to read is not taken, for it would leave the twin."""
    cloud = CloudTwin()
    cloud.store.put("a", b"1")
    assert cloud.store.read(["a", "b"], bytes) == {"a": b"1"}
    assert cloud.s3.calls["GetObject"] == 2


def test_a_file_takes_its_time(tmp_path: Path) -> None:
    """The meter tells what a file takes on its way up and down, beside the answers."""
    cloud = CloudTwin(up_s_a_byte=2, down_s_a_byte=1)
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    cloud.store.upload(path, "a")
    assert cloud.meter.read() == pytest.approx(10 + S3_ANSWER_S)
    assert cloud.store.download("a", path)
    assert cloud.meter.read() == pytest.approx(5 + S3_ANSWER_S)


@pytest.mark.parametrize("waiting", [10, 10_000])
def test_a_call_takes_no_longer_in_a_long_queue(waiting: int) -> None:
    """What one call looks at does not grow with the queue: it is counted, not timed."""
    sqs = SqsTwin(now=lambda: START, rng=random.Random(1))
    url = sqs.create_queue(QueueName="a.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in range(waiting):
        sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId=str(number), MessageDeduplicationId=str(number))
    assert lines(lambda: cycle(sqs, url)) < 600


def cycle(sqs: SqsTwin, url: str) -> None:
    """Receive a message, extend its lease and delete it."""
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    held = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    sqs.change_message_visibility(**held, VisibilityTimeout=60)
    sqs.delete_message(**held)


@pytest.mark.parametrize("things", [10, 10_000])
def test_a_call_takes_no_longer_in_a_full_bucket(things: int) -> None:
    """The same for writes, reads and pages."""
    s3 = S3Twin(now=lambda: START)
    s3.create_bucket(Bucket="rules")
    for number in range(things):
        s3.put_object(Bucket="rules", Key=f"exp/{number:05}", Body=b"x")

    def visit() -> None:
        s3.put_object(Bucket="rules", Key="exp/00003/a", Body=b"x")
        s3.get_object(Bucket="rules", Key="exp/00003")["Body"].read()
        s3.list_objects_v2(Bucket="rules", Prefix="exp/00003")

    assert lines(visit) < 300


def lines(call: Callable[[], None]) -> int:
    """Return how many lines of Python a call runs through."""
    count = 0

    def trace(*_: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return count
