"""Random calls to the twins and to servers, whose answers have to be the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lrtkit.wire import aws
from lrtkit.wire.settings import Access
from tests import servers
from tests.conformance.desks import Queues
from tests.conformance.places import RealTime
from tests.conformance.walks import BucketWalk, QueueWalk, s3_twin, sqs_twin

SEEDS = range(4)
STEPS = 120
NAMES = ("a", "a/b", "a/c/d", "a-b", "b", "ü x", "c/d", "cc")
FLAT = ("a", "ab", "b", "ü x", "cc", "c+d")
second_opinion = pytest.mark.skipif(
    not servers.has_second_opinion(), reason="not installed here. Try: make second-opinion"
)

QUEUES = [
    pytest.param("ministack", {"lapsed", "delete deleted"}, id="ministack"),
    pytest.param("localstack", {"lapsed", "stale", "release beside others"}, id="localstack", marks=second_opinion),
]
BUCKETS = [
    pytest.param("ministack", "exp/", NAMES, id="ministack"),
    pytest.param("seaweedfs", "exp-", FLAT, id="SeaweedFS", marks=second_opinion),
]


@pytest.fixture(scope="module")
def url_of(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Return the URL of a server, which is started when it is first asked for."""
    with ExitStack() as stack:
        urls = {"ministack": server}

        def url_of(name: str) -> str:
            if name not in urls:
                urls[name] = stack.enter_context(getattr(servers, name)(tmp_path_factory.mktemp(name)))
            return urls[name]

        yield url_of


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "avoid"), QUEUES)
def test_a_walk_on_queues(name: str, avoid: set[str], seed: int, url_of: Callable[[str], str]) -> None:
    """Sends, receives, releases, extensions and deletes, by handles of any age, are answered alike."""
    server = Queues(_client("sqs", url_of(name)), RealTime()).make()
    twin = Queues(sqs_twin(), RealTime()).make()
    walk = QueueWalk(twin, server, random.Random(seed), avoid)
    for number in range(STEPS):
        call, ours, theirs = walk.step()
        assert ours == theirs, f"seed {seed}, step {number}: {call}"
    assert twin.counts() == server.counts()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "prefix", "names"), BUCKETS)
def test_a_walk_on_buckets(
    name: str, prefix: str, names: tuple[str, ...], seed: int, url_of: Callable[[str], str]
) -> None:
    """Writes on conditions, reads, deletes and listings are answered alike."""
    twin, server = s3_twin(), _client("s3", url_of(name))
    bucket = f"walk-{name}-{seed}"
    for client in (twin, server):
        client.create_bucket(Bucket=bucket)
    walk = BucketWalk((twin, server), bucket, prefix, random.Random(seed), names)
    for number in range(STEPS):
        call, ours, theirs = walk.step()
        assert ours == theirs, f"seed {seed}, step {number}: {call}"


def _client(service: str, url: str) -> Any:
    return aws.client(service, Access("key", "secret"), endpoint_url=url, region="us-east-1")
