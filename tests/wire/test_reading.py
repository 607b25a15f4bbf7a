"""Reads by the thousand, which take the short way where that is smooth and botocore's where it is not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lrtkit.connection import Cloud
from lrtkit.wire import keys
from lrtkit.wire.errors import NotFound, Unavailable
from lrtkit.wire.reading import LARGEST, FastReader
from lrtkit.wire.s3 import S3Store


def fast(cloud: Cloud) -> FastReader:
    """Return a reader that knows the bucket's region, which S3 tells with its first refusal."""
    reader = FastReader(cloud.settings.bucket)
    assert reader.read(keys.PROBE) is None
    return reader


@pytest.mark.parametrize("key", ["exp/a/checkpoint.json", "exp/a=1/ü b+c%20~x.json", "a"])
def test_the_short_way_gives_what_botocore_gives(cloud: Cloud, key: str) -> None:
    """Body and ETag are the same, whatever the key needs as a URL."""
    cloud.store.put(key, b'{"step": 3}')
    found, item = fast(cloud).read(key), cloud.store.get(key)
    assert item is not None
    assert found == (item.body, item.etag)
    assert cloud.store.read(key) == item


def test_many_threads_read_at_once(cloud: Cloud) -> None:
    """Each has a connection to itself meanwhile, and gets what it asked for."""
    for number in range(40):
        cloud.store.put(f"exp/{number}", str(number).encode())
    with ThreadPoolExecutor(8) as threads:
        items = list(threads.map(cloud.store.read, [f"exp/{number}" for number in range(40)] * 3))
    assert [item and item.body for item in items] == [str(number).encode() for number in range(40)] * 3


def test_what_is_not_there(cloud: Cloud, bare_cloud: Cloud) -> None:
    """A missing object is None, and a missing bucket the error that botocore's way raises."""
    assert fast(cloud).read("exp/none") is None
    assert cloud.store.read("exp/none") is None
    elsewhere = S3Store(replace(bare_cloud.settings.bucket, name="no-such-bucket"))
    with pytest.raises(NotFound):
        elsewhere.read("exp/a")


def test_a_large_object_takes_the_long_way(cloud: Cloud) -> None:
    """It arrives whole all the same."""
    cloud.store.put("large", b"x" * (LARGEST + 1))
    assert fast(cloud).read("large") is None
    item = cloud.store.read("large")
    assert item is not None
    assert len(item.body) == LARGEST + 1


def test_a_server_that_does_not_answer(cloud: Cloud) -> None:
    """The error is botocore's, with its words."""
    store = S3Store(replace(cloud.settings.bucket, endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="cannot read exp/a in bucket"):
        store.read("exp/a")


@pytest.fixture
def rude() -> Iterator[str]:
    """A server that hangs up on whoever asks."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(1)
            connection.close()

        threads.submit(hang_up)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_connection_that_breaks(cloud: Cloud, rude: str) -> None:
    """A broken connection is no object, and no error either."""
    assert FastReader(replace(cloud.settings.bucket, endpoint_url=rude)).read("exp/a") is None


def test_a_proxy_is_botocores_business(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a proxy, nothing goes around it."""
    cloud.store.put("a", b"1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert fast(cloud).read("a") is None
