"""The queue, on a server that follows the rules of SQS FIFO."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lrtkit.connection import Cloud
from lrtkit.wire.errors import BadInput, LeaseLost, NotFound, Unavailable
from lrtkit.wire.sqs import Depth, Message, Outgoing, SqsQueue, name_of, once


def out(name: str = "a", **changes: Any) -> Outgoing:
    return replace(Outgoing(f'{{"job_id":"{name}"}}', name, once(name)), **changes)


def take(cloud: Cloud, lease_s: float = 30) -> Message | None:
    return cloud.queue.receive(lease_s=lease_s, wait_s=0, attempt_id=once(time.monotonic_ns()))


def taken(cloud: Cloud, lease_s: float = 30) -> Message:
    message = take(cloud, lease_s)
    assert message is not None
    return message


def test_a_message_comes_back_whole(cloud: Cloud) -> None:
    """Body, group and attributes survive; the time of sending and the count of receives are told."""
    cloud.queue.send(out(body='{"job_id":"a","ü":"\\u2028"}', attributes={"reason": "none", "empty": ""}))
    message = taken(cloud)
    assert (message.body, message.group, message.receive_count) == ('{"job_id":"a","ü":"\\u2028"}', "a", 1)
    assert message.attributes == {"reason": "none"}
    assert abs(message.sent_at - time.time()) < 600


def test_an_empty_queue_gives_nothing(cloud: Cloud) -> None:
    """No message is no error."""
    assert take(cloud) is None


def test_a_group_is_served_by_one_at_a_time(cloud: Cloud) -> None:
    """While a message is held, no other of its group is handed out; those of other groups are."""
    for each in (out("a", once="1"), out("a", once="2"), out("b", once="3")):
        cloud.queue.send(each)
    assert [taken(cloud).group, taken(cloud).group] == ["a", "b"]
    assert take(cloud) is None


def test_release_gives_the_message_back(cloud: Cloud) -> None:
    """A released message is there at once, and its receives are counted."""
    cloud.queue.send(out())
    cloud.queue.release(taken(cloud).receipt)
    assert taken(cloud).receive_count == 2


def test_release_with_a_delay_keeps_it_back(cloud: Cloud) -> None:
    """A job that is to wait is not handed out before."""
    cloud.queue.send(out())
    cloud.queue.release(taken(cloud).receipt, 60)
    assert take(cloud) is None


def test_delete_is_the_end(cloud: Cloud) -> None:
    """An acknowledged message is gone."""
    cloud.queue.send(out())
    cloud.queue.delete(taken(cloud).receipt)
    assert cloud.queue.depth() == Depth(0, 0, 0, 0)


def test_a_lost_lease_cannot_be_extended(cloud: Cloud, until: Callable[..., Message]) -> None:
    """Once another worker has the message, the old receipt is worth nothing."""
    cloud.queue.send(out())
    first = taken(cloud, lease_s=1)
    until(lambda: take(cloud))
    with pytest.raises(LeaseLost):
        cloud.queue.extend(first.receipt, 30)


def test_a_fraction_of_a_second_is_never_cut_off(cloud: Cloud) -> None:
    """SQS takes whole seconds, and none of them may end before the worker thinks so."""
    cloud.queue.send(out())
    first = taken(cloud, lease_s=0.3)
    assert take(cloud) is None
    cloud.queue.extend(first.receipt, 0.4)
    assert take(cloud) is None


def test_a_deleted_message_cannot_be_extended(cloud: Cloud) -> None:
    """The same for a message that is gone."""
    cloud.queue.send(out())
    message = taken(cloud)
    cloud.queue.delete(message.receipt)
    with pytest.raises(LeaseLost):
        cloud.queue.extend(message.receipt, 30)


def test_the_same_once_is_one_message(cloud: Cloud) -> None:
    """A second sending within five minutes is dropped, also when the first has been dealt with."""
    cloud.queue.send(out())
    cloud.queue.send(out())
    cloud.queue.delete(taken(cloud).receipt)
    cloud.queue.send(out())
    assert take(cloud) is None


def test_batches(cloud: Cloud) -> None:
    """Ten messages go in one call."""
    assert cloud.queue.send_batch([out(f"j{number}") for number in range(10)]) == {}
    assert cloud.queue.depth().waiting == 10


def test_a_batch_is_refused_by_entry(cloud: Cloud) -> None:
    """Entries that the queue does not take are told by their place, and the others are in."""
    refused = cloud.queue.send_batch([out("a"), out("b", group=""), out("c")])
    assert list(refused) == [1]
    assert isinstance(refused[1], BadInput)
    assert cloud.queue.depth().waiting == 2


def test_depth(cloud: Cloud) -> None:
    """Waiting, held and dead messages are counted apart."""
    for name in "abc":
        cloud.queue.send(out(name))
    taken(cloud)
    cloud.queue.send_dead(out("d"))
    depth = cloud.queue.depth()
    assert (depth.waiting, depth.in_flight, depth.delayed, depth.dead) == (2, 1, 0, 1)


def test_the_largest_message(cloud: Cloud) -> None:
    """The queue says what it takes, and takes that."""
    largest = cloud.queue.largest_message()
    assert largest == 1024 * 1024
    cloud.queue.send(out(body="x" * largest))
    with pytest.raises(BadInput):
        cloud.queue.send(out("b", body="x" * (largest + 1)))


def test_a_queue_that_is_not_there(bare_cloud: Cloud) -> None:
    """Every call says so, and which queue it was."""
    with pytest.raises(NotFound, match=bare_cloud.queue.name):
        bare_cloud.queue.send(out())


def test_a_queue_that_does_not_answer(bare_cloud: Cloud) -> None:
    """A network that is away is a trouble that may pass."""
    queue = SqsQueue(replace(bare_cloud.settings.queue, endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="cannot receive from"):
        queue.receive(lease_s=30, wait_s=0, attempt_id="a")


def test_once() -> None:
    """The same parts give the same id, others another, and it is never longer than SQS takes."""
    assert once("a", 1) == once("a", "1") != once("a1")
    assert len(once("x" * 1000)) <= 128


def test_names() -> None:
    """A queue is called by the end of its URL."""
    assert name_of("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo") == "jobs.fifo"
