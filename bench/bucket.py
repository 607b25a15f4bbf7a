"""An S3 in memory, in a process of its own: GET, PUT and pages of lists, as fast as one core can.

No server of the local cloud answers a thousand reads a second, as R2 does; on such a one its own
speed would be measured, and not that of those who read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

ROOT = Path(__file__).parents[1]
PAGE = 1000
WRITTEN_AT = "2026-11-24T10:00:00.000Z"


class Objects:
    """The objects of the one bucket there is, whatever it is called."""

    def __init__(self, file: Path) -> None:
        found = (json.loads(line) for line in file.open(encoding="utf-8"))
        self.bodies = {key: body.encode() for key, body in found}
        self.etags = {key: _etag(body) for key, body in self.bodies.items()}
        self.keys = sorted(self.bodies)

    def put(self, key: str, body: bytes) -> str:
        """Write an object and return its ETag."""
        if key not in self.bodies:
            insort(self.keys, key)
        self.bodies[key], self.etags[key] = body, _etag(body)
        return self.etags[key]

    def page(self, query: Mapping[str, str]) -> bytes:
        """Return a page of a list, as XML."""
        prefix, most = query.get("prefix", ""), int(query.get("max-keys", PAGE))
        first = bisect_right(self.keys, max(query.get("continuation-token", query.get("start-after", "")), prefix[:-1]))
        found = [key for key in self.keys[first : first + most + 1] if key.startswith(prefix)]
        more = f"<NextContinuationToken>{quote(found[most - 1])}</NextContinuationToken>" if len(found) > most else ""
        told = "".join(map(self._entry, found[:most]))
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<EncodingType>url</EncodingType><IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}{told}"
            "</ListBucketResult>"
        ).encode()

    def _entry(self, key: str) -> str:
        return (
            f"<Contents><Key>{quote(key)}</Key><LastModified>{WRITTEN_AT}</LastModified><ETag>{self.etags[key]}</ETag>"
            f"<Size>{len(self.bodies[key])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )


class _Door(asyncio.Protocol):
    """One connection: takes requests of HTTP/1.1 as boto3 and the kit make them."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._read[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            size = int(headers.get("content-length", 0))
            if headers.pop("expect", None) and len(self._read) == end + 4:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(self._read) < end + 4 + size:
                return
            body, self._read = self._read[end + 4 : end + 4 + size], self._read[end + 4 + size :]
            method, target, _ = first.split(" ")
            self._answer(method, target, body)

    def _answer(self, method: str, target: str, body: bytes) -> None:
        path, _, query = target.partition("?")
        _, _, key = unquote(path)[1:].partition("/")
        if method == "PUT":
            self._reply("200 OK", b"", self._objects.put(key, body))
        elif not key:
            self._reply("200 OK", self._objects.page(dict(parse_qsl(query))))
        elif key in self._objects.bodies:
            self._reply("200 OK", self._objects.bodies[key], self._objects.etags[key])
        else:
            self._reply("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")

    def _reply(self, status: str, body: bytes, etag: str = "") -> None:
        tag = f"ETag: {etag}\r\n" if etag else ""
        date = formatdate(usegmt=True)
        head = f"HTTP/1.1 {status}\r\nDate: {date}\r\n{tag}Content-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


@contextmanager
def filled(objects: Mapping[str, str]) -> Iterator[str]:
    """Serve a bucket that holds these objects for a while, and give its URL."""
    with tempfile.TemporaryDirectory(prefix="lrt-bench-") as folder:
        file = Path(folder, "objects")
        file.write_text("".join(f"{json.dumps(each)}\n" for each in objects.items()), encoding="utf-8")
        command = [sys.executable, "-m", "bench.bucket", str(file)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield f"http://127.0.0.1:{process.stdout.readline().strip()}"  # type: ignore[union-attr]
            finally:
                process.kill()


async def _serve(objects: Objects) -> None:
    """Serve until standard input ends, which it does with the process that started this one; tell the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Door(objects), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


if __name__ == "__main__":
    asyncio.run(_serve(Objects(Path(sys.argv[1]))))
