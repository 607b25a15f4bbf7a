"""Another chance for jobs, and what a crash in the middle of it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput, Unavailable
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import Outgoing, SqsQueue, once
from tests.control.desk import Desk, job

T = TypeVar("T")


def fail(desk: Desk, *names: str) -> None:
    """Let jobs fail for good: their message gone, their record failed, their letter written."""
    desk.submit(*names)
    for message in desk.messages():
        desk.cloud.queue.delete(message.receipt)
        desk.cloud.queue.send_dead(Outgoing(message.body, message.group, once(message.message_id, "dead")))
    for name in names:
        desk.put(name, "failed")


def test_a_failed_job_gets_another_chance(desk: Desk) -> None:
    """The record is open again, from its checkpoint; the message is there; the letter is not."""
    fail(desk, "a", "b")
    told = desk.experiment.retry("a")
    assert told.to_dict("index") == {"exp/a": {"outcome": "sent again", "state": "interrupted"}}
    record = desk.record("a")
    assert (record.state, record.counts.failures, record.checkpoint and record.checkpoint.step) == ("waiting", 0, 4)
    assert [message.body for message in desk.messages()] == [job("a").body]
    assert desk.experiment.dead_letters().index.tolist() == ["exp/b"]


def test_a_cancelled_job_gets_another_chance(desk: Desk) -> None:
    """Whether a worker had it or not: the wish to cancel is forgotten."""
    desk.submit("a")
    desk.put("b", "cancelled")
    desk.experiment.cancel("a")
    with pytest.raises(BadInput, match="exp/b: neither submission nor dead letter says what it was"):
        desk.experiment.retry(["a", "b"])
    assert desk.experiment.retry("a")["outcome"].tolist() == ["sent again"]
    record = desk.record("a")
    assert (record.state, record.cancel_requested_at) == ("waiting", None)


def test_a_job_too_large_for_a_message_gets_another_chance(desk: Desk) -> None:
    """The new message leads to the same body as the first, which nobody had to read."""
    desk.experiment.submit([{"name": "large", "steps": 7, "text": "x" * 1_100_000}])
    (before,) = desk.messages()
    desk.cloud.queue.delete(before.receipt)
    desk.experiment.cancel("large")
    assert desk.experiment.retry("large")["outcome"].tolist() == ["sent again"]
    (after,) = desk.messages()
    assert (after.body, after.attributes) == (before.body, before.attributes)
    assert after.attributes.keys() == {"body_sha256", "fingerprint"}
    assert desk.record("large").steps == 7


def test_done_jobs_are_refused(desk: Desk) -> None:
    """A result is final, and one done job holds back the others."""
    fail(desk, "a")
    desk.put("b", "done")
    with pytest.raises(BadInput, match="exp/b: done, and a result is final; nothing was done"):
        desk.experiment.retry(["a", "b"])
    assert desk.state("a") == "failed"


def test_unreadable_records_are_refused(desk: Desk) -> None:
    """What no worker could resume is not sent."""
    desk.submit("a")
    desk.cloud.store.put("exp/a/checkpoint.json", b"{")
    with pytest.raises(BadInput, match="exp/a: the record is not readable; nothing was done"):
        desk.experiment.retry("a")


def test_what_is_under_way_needs_no_second_message(desk: Desk) -> None:
    """A job that is queued or runs is left alone."""
    desk.submit("a", "b")
    desk.put("b", "running")
    assert desk.experiment.retry(["a", "b"])["outcome"].tolist() == ["is queued already", "is running already"]
    assert desk.cloud.queue.depth().waiting == 2


def test_a_job_of_which_only_the_letter_is_left(desk: Desk) -> None:
    """The letter says what it was; one of another job under the same id does not."""
    desk.cloud.queue.send_dead(Outgoing(job("a").body, "exp/a", "1"))
    desk.cloud.queue.send_dead(Outgoing(job("b", lr=1).body, "exp/b", "2"))
    desk.put("b", "failed")
    with pytest.raises(BadInput, match="exp/b: neither submission nor dead letter"):
        desk.experiment.retry("b")
    assert desk.experiment.retry("a").to_numpy().tolist() == [["sent again", "queued"]]
    assert desk.experiment.dead_letters().index.tolist() == ["exp/b"]


def test_a_job_that_the_queue_itself_has_set_aside(desk: Desk) -> None:
    """A record that still says running, beside a dead letter, is sent again."""
    fail(desk, "a")
    desk.put("a", "running")
    assert desk.experiment.retry("a")["outcome"].tolist() == ["sent again"]
    assert [message.group for message in desk.messages()] == ["exp/a"]


def test_a_worker_that_is_faster(desk: Desk) -> None:
    """A job that is done between the look and the change stays done."""
    fail(desk, "a")
    told = desk.beside(swap=lambda: desk.put("a", "done")).retry("a")
    assert told["outcome"].tolist() == ["had ended as done"]
    assert desk.messages() == []


def test_twice_in_a_row_is_one_message(desk: Desk) -> None:
    """Within five minutes the queue drops the second, as it has the same deduplication id."""
    fail(desk, "a")
    desk.experiment.retry("a")
    desk.experiment.retry("a")
    assert desk.cloud.queue.depth().waiting == 1


class Crash(BaseException):
    """The end of the kernel."""


class Countdown:
    """Raises instead of the call whose turn it is, and of all that come later."""

    def __init__(self, calls: int) -> None:
        self._left = calls
        self._lock = threading.Lock()

    def __call__(self, call: Callable[..., T], *args: Any) -> T:
        """Make a call, or crash."""
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                raise Crash
        return call(*args)


def crashing(cloud: Cloud, countdown: Countdown) -> Experiment:
    """Return the experiment of a kernel that ends at some call that changes something."""

    class Queue(SqsQueue):
        def send(self, message: Outgoing) -> None:
            """Send, or crash."""
            countdown(super().send, message)

        def delete_dead(self, receipt: str) -> None:
            """Delete, or crash."""
            countdown(super().delete_dead, receipt)

    class Store(S3Store):
        def swap(self, key: str, body: bytes, etag: str | None) -> str:
            """Swap, or crash."""
            return countdown(super().swap, key, body, etag)

    settings = cloud.settings
    return Experiment("exp", replace(cloud, queue=Queue(settings.queue), store=Store(settings.bucket)))


@pytest.mark.parametrize("call", range(1, 7))
def test_a_crash_at_any_call_is_healed_by_running_again(desk: Desk, call: int) -> None:
    """Wherever a redrive of two jobs ends, the next one brings both into the queue and leaves no letter."""
    fail(desk, "a", "b")
    with pytest.raises(Crash):
        crashing(desk.cloud, Countdown(call)).retry(["a", "b"])
    depth = desk.cloud.queue.depth()
    assert depth.waiting + depth.dead >= 2
    desk.experiment.retry(["a", "b"])
    assert sorted(message.group for message in desk.messages()) == ["exp/a", "exp/b"]
    assert desk.cloud.queue.depth().dead == 0
    assert {desk.record(name).state for name in "ab"} == {"waiting"}


def test_a_queue_that_is_away(desk: Desk) -> None:
    """An error is told, and the letter is still there."""
    fail(desk, "a")

    class Away(SqsQueue):
        def send(self, message: Outgoing) -> None:
            """Refuse."""
            raise Unavailable(f"cannot send {message.group}")

    away = Experiment("exp", replace(desk.cloud, queue=Away(desk.cloud.settings.queue)))
    with pytest.raises(Unavailable):
        away.retry("a")
    assert desk.experiment.dead_letters().index.tolist() == ["exp/a"]
    assert desk.cloud.store.get(keys.record("exp/a")) is not None
