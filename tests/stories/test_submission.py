"""Submissions that are cut off anywhere, that meet each other, and that carry more than a message can."""

from __future__ import annotations

import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lrtkit import BadTable, Experiment
from lrtkit.connection import Cloud
from lrtkit.submissions import LARGEST_LIST
from lrtkit.wire import keys
from lrtkit.wire.errors import LrtError, NotFound
from lrtkit.wire.listing import Page
from lrtkit.wire.s3 import Item, S3Store
from lrtkit.wire.sqs import Depth, Message, Outgoing, SqsQueue
from tests.nowhere import Nowhere

T = TypeVar("T")

ROWS = [{"name": f"j{number:02}", "steps": 10 + number} for number in range(11)]
LARGE = {"name": "large", "steps": 5, "text": "ü" * 600_000}
TABLE = [*ROWS, LARGE]


class CutOff(BaseException):
    """The power goes."""


class Fuse:
    """Lets so many calls pass; the next is cut off, before or after it has been made, and so are all that follow."""

    def __init__(self, calls: int, *, made: bool) -> None:
        self._left = calls
        self._made = made
        self._lock = threading.Lock()
        self.blown = False

    def call(self, call: Callable[..., T], *args: Any) -> T:
        """Make a call, or not."""
        with self._lock:
            self._left -= 1
            if self._left >= 0:
                return call(*args)
            first, self.blown = not self.blown, True
            if first and self._made:
                call(*args)
            raise CutOff


class FusedQueue(SqsQueue):
    """A queue behind a fuse."""

    def __init__(self, cloud: Cloud, fuse: Fuse) -> None:
        super().__init__(cloud.settings.queue)
        self._fuse = fuse

    def largest_message(self) -> int:
        """Return what the queue takes."""
        return self._fuse.call(super().largest_message)

    def depth(self) -> Depth:
        """Count."""
        return self._fuse.call(super().depth)

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Send."""
        return self._fuse.call(super().send_batch, messages)


class FusedStore(S3Store):
    """A bucket behind the same fuse."""

    def __init__(self, cloud: Cloud, fuse: Fuse) -> None:
        super().__init__(cloud.settings.bucket)
        self._fuse = fuse

    def get(self, key: str) -> Item | None:
        """Read."""
        return self._fuse.call(super().get, key)

    def pages(self, prefix: str, after: Sequence[str]) -> list[Page]:
        """List."""
        return self._fuse.call(super().pages, prefix, after)

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write, where nothing is."""
        return self._fuse.call(super().swap, key, body, etag)

    def put(self, key: str, body: bytes) -> None:
        """Write."""
        self._fuse.call(super().put, key, body)

    def upload(self, path: Path, key: str) -> None:
        """Write a file."""
        self._fuse.call(super().upload, path, key)


def cut(cloud: Cloud, name: str, calls: int, *, made: bool) -> bool:
    """Submit until the power goes; tell whether it did."""
    fuse = Fuse(calls, made=made)
    behind = replace(cloud, queue=FusedQueue(cloud, fuse), store=FusedStore(cloud, fuse))
    try:
        Experiment(name, behind).submit(TABLE)
    except CutOff:
        return True
    assert not fuse.blown
    return False


def taken(cloud: Cloud) -> list[Message]:
    """Take every message from the queue, ten in a call."""
    settings = cloud.settings.queue
    queue = SqsQueue(replace(settings, dead_letter_url=settings.url))
    return [message for page in iter(lambda: queue.receive_dead(hold_s=600, wait_s=0), []) for message in page]


@pytest.mark.parametrize("made", [False, True])
def test_cut_off_at_any_call_and_run_again(cloud: Cloud, made: bool) -> None:
    """Whichever call is the last, made or not, the next submission completes the set, and no job is there twice."""
    calls = 0
    while cut(cloud, f"exp{calls}", calls, made=made):
        assert set(Experiment(f"exp{calls}", cloud).submit(TABLE)["outcome"]) <= {"sent", "known"}
        calls += 1
    assert calls >= 10
    found = Counter(message.group for message in taken(cloud))
    assert found == Counter(f"exp{run}/{row['name']}" for run in range(calls + 1) for row in TABLE)


def test_a_body_is_there_before_its_message(cloud: Cloud) -> None:
    """Wherever the power goes, no message is in the queue whose body is not in the bucket."""
    for calls in range(12):
        cut(cloud, f"exp{calls}", calls, made=True)
    found = [message for message in taken(cloud) if "body_sha256" in message.attributes]
    assert found
    for message in found:
        assert cloud.store.get(keys.body(message.group, message.attributes["body_sha256"]))


def test_a_list_that_was_sent_is_not_sent_again(cloud: Cloud) -> None:
    """Of a submission in several lists, what is cut off is only the one that was being sent."""
    rows = [{"name": f"j{number:02}", "steps": 1, "text": chr(97 + number) * 250_000} for number in range(20)]
    queue = FusedQueue(cloud, Fuse(7, made=False))
    with pytest.raises(CutOff):
        Experiment("exp", replace(cloud, queue=queue)).submit(rows)
    lists = [found.key for found in cloud.store.listed(keys.submissions("exp"))]
    assert [key.rpartition(".")[2] for key in lists] == ["jsonl", "sent", "jsonl"]
    assert Experiment("exp", cloud).submit(rows)["outcome"].tolist() == ["known"] * 16 + ["sent"] * 4
    assert Counter(message.group for message in taken(cloud)) == Counter(f"exp/{row['name']}" for row in rows)


def test_two_submit_the_same_at_once(cloud: Cloud) -> None:
    """Two who do not know of each other's submission yet are both told that it was sent, and each job is there once."""
    meet = threading.Barrier(2)

    class Met(S3Store):
        def swap(self, key: str, body: bytes, etag: str | None) -> str:
            meet.wait(30)
            return super().swap(key, body, etag)

    both = [Experiment("exp", replace(cloud, store=Met(cloud.settings.bucket))) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        receipts = list(threads.map(lambda each: each.submit(ROWS), both))
    assert [set(receipt["outcome"]) for receipt in receipts] == [{"sent"}, {"sent"}]
    assert Counter(message.group for message in taken(cloud)) == Counter(f"exp/{row['name']}" for row in ROWS)
    assert set(Experiment("exp", cloud).submit(ROWS)["outcome"]) == {"known"}


def test_two_submit_different_rows_under_one_name(cloud: Cloud) -> None:
    """The second to look is asked about a row that differs, and adds those that are new."""
    Experiment("exp", cloud).submit(ROWS)
    other = Experiment("exp", cloud)
    with pytest.raises(BadTable, match="row 0, column steps: was 10 when submitted and is 99"):
        other.submit([{"name": "j00", "steps": 99}])
    assert other.submit([ROWS[0], {"name": "mine", "steps": 1}])["outcome"].tolist() == ["known", "sent"]
    assert len(taken(cloud)) == len(ROWS) + 1


def test_a_bucket_that_is_not_there(cloud: Cloud) -> None:
    """It is told before anything is checked or sent, with what makes it."""
    elsewhere = replace(cloud.settings.bucket, name="nowhere-1")
    settings = replace(cloud.settings, bucket=elsewhere)
    with pytest.raises(NotFound) as caught:
        Experiment("exp", replace(cloud, store=S3Store(elsewhere), settings=settings)).submit(ROWS)
    assert str(caught.value) == (
        f"there is no bucket nowhere-1 at {elsewhere.endpoint_url}. Try: lrtkit.queues.make(cloud), or mend its name"
    )
    assert cloud.queue.depth().waiting == 0


def test_a_table_larger_than_memory_should_be() -> None:
    """Rows that are made as they are asked for are never all in memory, and all of them are sent."""
    rows = ({"name": f"j{number:05}", "steps": 1, "text": f"{number:05}" * 4000} for number in range(4_000))
    nowhere = Nowhere()
    experiment = Experiment("exp", nowhere.cloud)
    tracemalloc.start()
    try:
        receipt = experiment.submit(rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(receipt) == nowhere.counts["messages"] == 4_000
    assert nowhere.counts["lists"] == 20
    assert nowhere.counts["largest list"] <= LARGEST_LIST
    assert peak < 40_000_000  # of 80,000,000
    assert receipt.memory_usage(index=False).sum() <= 2 * 4_000 + 1000
