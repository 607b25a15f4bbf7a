"""One connection to a bucket that takes a GET after the other: the part of HTTP/1.1 that this needs."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult

from botocore.httpsession import get_cert_path

LARGEST = 8 * 1024 * 1024
"""What is larger is refused, so that a few objects cannot fill the memory."""

_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line(asyncio.Protocol):
    """A connection; ``is_open`` is False as soon as either side has closed it or an answer was not understood."""

    def __init__(self) -> None:
        self.is_open = False
        self._read = bytearray()
        self._head: Answer | None = None
        self._awaited: asyncio.Future[Answer] | None = None

    @classmethod
    async def connected(cls, url: SplitResult) -> Line:
        """Return a connection to a server; raise OSError where there is none."""
        port, context = (url.port or 443, _trusting()) if url.scheme == "https" else (url.port or 80, None)
        _, line = await asyncio.get_running_loop().create_connection(cls, url.hostname or "", port, ssl=context)
        return line

    async def get(self, request: bytes) -> Answer:
        """Send a request and return its answer; raise ConnectionError where none comes that can be understood."""
        if not self.is_open:
            raise ConnectionResetError("the connection is closed")
        self._awaited = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._awaited
        finally:
            self._awaited = None

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits for an answer."""
        self.is_open = False
        if self._awaited and not self._awaited.done():
            self._awaited.set_exception(error or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        """Take in a piece of an answer, and hand it over when it is whole."""
        self._read += data
        try:
            answer = self._whole()
        except (ValueError, LookupError):
            answer = None
            self.close()
        if answer is None:
            return
        self._read.clear()
        self._head = None
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        if self._awaited and not self._awaited.done():
            self._awaited.set_result(answer)

    def _whole(self) -> Answer | None:
        """Return the answer as far as it is whole; raise ValueError or LookupError where it is not understood."""
        if self._head is None:
            end = self._read.find(_HEAD_END)
            if end < 0:
                return None
            self._head = _head(self._read[:end])
            del self._read[: end + len(_HEAD_END)]
        body = _body(self._head.headers, self._read)
        return None if body is None else Answer(self._head.status, self._head.headers, body)


def request(target: str, headers: Mapping[str, str]) -> bytes:
    """Return a GET as it goes over a connection."""
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1")


@functools.cache
def _trusting() -> ssl.SSLContext:
    """Return a context that trusts whom botocore trusts."""
    return ssl.create_default_context(cafile=get_cert_path(True))


def _head(text: bytes | bytearray) -> Answer:
    status, *lines = text.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Answer(int(status.split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in pairs}, b"")


def _body(headers: Mapping[str, str], read: bytearray) -> bytes | None:
    """Return the body, or None as long as some of it has not come."""
    is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    size = len(read) if is_chunked else int(headers["content-length"])
    if size > LARGEST:
        raise ValueError("the object is too large")
    if is_chunked:
        return _unchunked(read) if read.endswith(_LAST_CHUNK) else None
    return bytes(read) if len(read) >= size else None


def _unchunked(read: bytearray) -> bytes | None:
    """Return what the chunks hold, or None where the last of them only looked like the end."""
    parts: list[bytearray] = []
    at = 0
    while at < len(read):
        line_end = read.index(b"\r\n", at)
        size = int(read[at:line_end].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        at = line_end + 2 + size + 2
        parts.append(read[line_end + 2 : at - 2])
    return None
