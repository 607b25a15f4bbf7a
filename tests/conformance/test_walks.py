"""Random calls to the twins and to servers, whose answers have to be the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from lrtkit.wire import aws
from lrtkit.wire.settings import Access
from tests import servers
from tests.conformance.desks import Queues
from tests.conformance.places import RealTime
from tests.conformance.walks import BucketWalk, QueueWalk, s3_twin, sqs_twin

SEEDS = range(3)
STEPS = 100
NAMES = ("a", "a/b", "a/c/d", "a-b", "b", "ü x", "c/d", "cc")
FLAT = ("a", "ab", "b", "ü x", "cc", "c+d")
second_opinion = pytest.mark.skipif(
    not servers.has_second_opinion(), reason="not installed here. Try: make second-opinion"
)

Start = Callable[[Path], AbstractContextManager[str]]

QUEUES = [
    pytest.param(servers.ministack, {"lapsed", "delete deleted"}, id="ministack"),
    pytest.param(
        servers.localstack, {"lapsed", "stale", "release beside others"}, id="localstack", marks=second_opinion
    ),
]
BUCKETS = [
    pytest.param(servers.ministack, "exp/", NAMES, id="ministack"),
    pytest.param(servers.seaweedfs, "exp-", FLAT, id="SeaweedFS", marks=second_opinion),
]


@pytest.mark.parametrize(("start", "avoid"), QUEUES)
def test_queues_answer_alike(start: Start, avoid: set[str], tmp_path: Path) -> None:
    """Sends, receives, releases, extensions and deletes, by handles of any age."""
    with start(tmp_path) as url:
        server, twin = Queues(_client("sqs", url), RealTime()), Queues(sqs_twin(), RealTime())
        for seed in SEEDS:
            walk = QueueWalk(twin.make(), server.make(), random.Random(seed), avoid)
            _walk(walk, seed)
            assert walk.twin.counts() == walk.server.counts()


@pytest.mark.parametrize(("start", "prefix", "names"), BUCKETS)
def test_buckets_answer_alike(start: Start, prefix: str, names: tuple[str, ...], tmp_path: Path) -> None:
    """Writes on conditions, reads, deletes and listings."""
    with start(tmp_path) as url:
        clients = (s3_twin(), _client("s3", url))
        for seed in SEEDS:
            for client in clients:
                client.create_bucket(Bucket=f"walk-{seed}")
            _walk(BucketWalk(clients, f"walk-{seed}", prefix, random.Random(seed), names), seed)


def _walk(walk: QueueWalk | BucketWalk, seed: int) -> None:
    for number in range(STEPS):
        call, ours, theirs = walk.step()
        assert ours == theirs, f"seed {seed}, step {number}: {call}"


def _client(service: str, url: str) -> Any:
    return aws.client(service, Access("key", "secret"), endpoint_url=url, region="us-east-1")
