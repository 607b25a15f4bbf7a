"""Reads by the thousand, which take the short way where that is smooth and botocore's where it is not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.connection import Cloud
from lrtkit.wire import listing, signing
from lrtkit.wire.clock import seconds_of
from lrtkit.wire.errors import NotFound, Unavailable
from lrtkit.wire.line import LARGEST, Answer
from lrtkit.wire.listing import Page
from lrtkit.wire.reading import FastReader
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import Access, BucketSettings
from tests.waiting import until

KEYS = ["exp/a/checkpoint.json", "exp/a=1/ü b+c%20~x.json", "a", "exp/&<>'\"?#", "exp/\U0001f9ea"]


def quick(cloud: Cloud, *keys: str) -> list[bytes | None]:
    """Read objects the short way alone."""
    return FastReader(cloud.settings.bucket).read([(key, {}) for key in keys], lambda answer: answer.body)


def test_the_short_way_gives_what_botocore_gives(cloud: Cloud) -> None:
    """The bodies are the same, whatever the keys need as URLs, and what is not there is left out."""
    for key in KEYS:
        cloud.store.put(key, key.encode())
    assert quick(cloud, *KEYS, "none") == [*(key.encode() for key in KEYS), None]
    assert cloud.store.read([*KEYS, "none"], bytes.decode) == {key: key for key in KEYS}


def test_a_list_is_what_botocore_lists(cloud: Cloud) -> None:
    """Keys, ETags, sizes and times are the same, from any key on, and the end is told."""
    for key in KEYS:
        cloud.store.put(key, b"1")
    (ours,) = FastReader(cloud.settings.bucket).read([("", listing.query("exp/", ""))], listing.page)
    assert ours is not None
    assert ours.found == list(cloud.store.listed("exp/"))
    assert ours.is_last
    pages = cloud.store.pages("", ["", *sorted(KEYS)])
    assert [[found.key for found in page.found] for page in pages] == [sorted(KEYS)[n:] for n in range(6)]


def test_the_other_way_lists_the_same(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the short way is closed, botocore's leads to the same pages."""
    for key in KEYS:
        cloud.store.put(key, b"1")
    pages = cloud.store.pages("exp/", ["", KEYS[0]])
    monkeypatch.setattr(FastReader, "read", lambda _, asked, __: [None] * len(asked))
    others = cloud.store.pages("exp/", ["", KEYS[0]])
    assert [replace(page, read_at=None) for page in others] == [replace(page, read_at=None) for page in pages]


def test_a_page_that_is_not_understood() -> None:
    """Anything but a list is left to botocore, which has the words for it."""
    for body in (b"", b"<html>", b"<html></html>", b"<L><IsTruncated>false</IsTruncated><Contents/></L>"):
        assert listing.page(Answer(200, {}, body)) is None
    empty = listing.page(
        Answer(200, {"date": "Tue, 24 Nov 2026 10:00:00 GMT"}, b"<L><IsTruncated>true</IsTruncated></L>")
    )
    assert empty == Page([], is_last=False, read_at=seconds_of("2026-11-24T10:00:00Z"))


TOKENS = st.none() | st.from_regex(r"[A-Za-z0-9+/]{1,60}={0,2}", fullmatch=True)


@given(
    key=st.text(min_size=1, max_size=40),
    prefix=st.text(max_size=10),
    secret=st.text(min_size=1, max_size=40),
    token=TOKENS,
)
def test_the_signature_is_botocores(key: str, prefix: str, secret: str, token: str | None) -> None:
    """Whatever the key and the query hold, botocore would have signed the same, a session token with it."""
    settings = BucketSettings("bucket", "https://example.com:8443/base", Access("KEY", secret, token))
    for asked in ((key, {}), ("", listing.query(prefix, key))):
        target = _Loopless(settings).target(asked)
        theirs = AWSRequest("GET", f"https://example.com:8443{target}")
        S3SigV4Auth(Credentials("KEY", secret, token), "s3", "auto").add_auth(theirs)
        stamp = theirs.headers["X-Amz-Date"]
        at = seconds_of(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:13]}:{stamp[13:]}")
        ours = signing.headers(settings.access, "auto", host="example.com:8443", target=target, now=at)
        assert ours == {"Host": "example.com:8443", **dict(theirs.headers.items())}


class _Loopless(FastReader):
    """A reader that only tells what it would ask for."""

    def __init__(self, settings: BucketSettings) -> None:
        self._root = f"/base/{settings.name}"


def test_many_threads_read_at_once(cloud: Cloud) -> None:
    """Each gets what it asked for."""
    names = [f"exp/{number}" for number in range(40)]
    for name in names:
        cloud.store.put(name, name.encode())
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda part: cloud.store.read(part, bytes.decode), [names[n::8] for n in range(8)]))
    assert [each for part in found for each in part.items()] == [(name, name) for n in range(8) for name in names[n::8]]


def test_a_missing_bucket(bare_cloud: Cloud) -> None:
    """The error is that of botocore's way, for objects and for lists."""
    elsewhere = S3Store(replace(bare_cloud.settings.bucket, name="no-such-bucket"))
    with pytest.raises(NotFound):
        elsewhere.read(["exp/a"], bytes)
    with pytest.raises(NotFound):
        elsewhere.pages("exp/", [""])


def test_a_large_object_takes_the_long_way(cloud: Cloud) -> None:
    """It arrives whole all the same."""
    cloud.store.put("large", b"x" * (LARGEST + 1))
    assert quick(cloud, "large") == [None]
    assert cloud.store.read(["large"], len) == {"large": LARGEST + 1}


def test_a_server_that_does_not_answer(cloud: Cloud) -> None:
    """The error is botocore's, with its words."""
    store = S3Store(replace(cloud.settings.bucket, endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="cannot read exp/a in bucket"):
        store.read(["exp/a"], bytes)


def test_what_cannot_be_made_of_an_object(cloud: Cloud) -> None:
    """The error of whoever makes something of the bodies comes as it is, and reading goes on the next time."""
    for number in range(50):
        cloud.store.put(f"exp/{number}", b"{" if number == 20 else b"{}")
    wanted = [f"exp/{number}" for number in range(50)]
    with pytest.raises(json.JSONDecodeError):
        cloud.store.read(wanted, json.loads)
    assert len(cloud.store.read(wanted, bytes)) == 50


ANSWERS = {
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\n0\r\n\r\n!\r\n0\r\n\r\n",
        b"0\r\n\r\n!",
    ),
    "chunked in chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        b"abc",
    ),
    "its last": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "hangs up": (b"", None),
    "hangs up half-way": (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", None),
    "no HTTP": (b"220 smtp.example.com ESMTP\r\n\r\n", None),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\nabc", None),
    "broken chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0\r\n\r\n", None),
    "busy": (b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", None),
}


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """Serve one answer, byte by byte, and hang up."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.recv(65_536)
                for byte in answer:
                    connection.send(bytes([byte]))

        threads.submit(serve)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("name", list(ANSWERS))
def test_answers_of_all_kinds(cloud: Cloud, name: str) -> None:
    """A whole object is understood however it comes, byte by byte too; anything else is none, and no error either."""
    answer, body = ANSWERS[name]
    with _answering(answer) as url:
        reader = FastReader(replace(cloud.settings.bucket, endpoint_url=url))
        assert reader.read([("exp/a", {})], lambda answer: answer.body) == [body]


def test_a_connection_is_used_again_until_the_server_closes_it(cloud: Cloud) -> None:
    """One connection serves one reader; when it is gone, a new one takes its place and nothing is lost."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:

        def serve() -> int:
            for turn in range(2):
                connection, _ = server.accept()
                with connection:
                    for _ in range(2):
                        connection.recv(65_536)
                        connection.send(reply + str(turn).encode())
            return server.fileno()

        served = threads.submit(serve)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        reader = FastReader(replace(cloud.settings.bucket, endpoint_url=url))
        bodies = [reader.read([("exp/a", {})], lambda answer: answer.body) for _ in range(2)]
        until(lambda: not any(line.is_open for line in reader._idle))
        bodies += [reader.read([("exp/a", {})], lambda answer: answer.body) for _ in range(2)]
        served.result()
    assert bodies == [[b"0"], [b"0"], [b"1"], [b"1"]]


def test_a_proxy_is_botocores_business(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a proxy, nothing goes around it."""
    cloud.store.put("a", b"1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert quick(cloud, "a") == [None]
