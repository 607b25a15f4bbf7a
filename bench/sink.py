"""A queue that keeps nothing and takes so many calls a second, as SQS does: what is more is throttled.

A process of its own, ``python -m bench.sink CALLS_PER_S BURST``, which prints its port and ends with its
standard input. ``GET /`` tells what has come so far.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

ROOT = Path(__file__).parents[1]

ATTRIBUTES = {"MaximumMessageSize": "1048576"} | dict.fromkeys(
    (f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")), "0"
)
THROTTLE = {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Request was throttled"}


@dataclass
class Sink:
    """The queue; ``burst`` calls may come at once when none came before."""

    calls_per_s: float
    burst: float
    taken: int = 0
    throttled: int = 0
    first_at: float | None = None
    last_at: float = 0.0
    _once: set[str] = field(default_factory=set)
    _tokens: float = 0.0
    _filled_at: float = 0.0

    def answer(self, target: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the body of the answer to a call."""
        if target.endswith("getqueueattributes"):
            return 200, {"Attributes": ATTRIBUTES}
        if target.endswith("sendmessagebatch"):
            return self._send(asked["Entries"])
        return 200, {**vars(self), "_once": len(self._once)}

    def _send(self, entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        now = time.monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.calls_per_s)
        self._filled_at = now
        if self._tokens < 1:
            self.throttled += 1
            return 400, THROTTLE
        self._tokens -= 1
        self.taken += 1
        self.first_at, self.last_at = self.first_at or now, now
        self._once.update(entry["MessageDeduplicationId"] for entry in entries)
        told = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for entry in entries]
        return 200, {"Successful": told, "Failed": []}


@dataclass(frozen=True)
class Queue:
    """A sink at work, as the bench sees it."""

    url: str
    calls_per_s: float

    def told(self) -> dict[str, Any]:
        """Return what has come so far; ``_once`` is the number of different messages."""
        return dict(urllib3.request("GET", self.url).json())


@contextmanager
def sunk(calls_per_s: float, *, burst: float) -> Iterator[Queue]:
    """Put up a sink for a while."""
    command = [sys.executable, "-m", "bench.sink", str(calls_per_s), str(burst)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip()  # type: ignore[union-attr]
            yield Queue(f"http://127.0.0.1:{port}", calls_per_s)
        finally:
            process.kill()


async def _serve(calls_per_s: float, burst: float) -> None:
    sink = Sink(calls_per_s, burst)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
                fields = dict(line.split(": ", 1) for line in head if ": " in line)
                asked = json.loads(await reader.readexactly(int(fields.get("content-length", 0))) or b"{}")
                status, told = sink.answer(fields.get("x-amz-target", ""), asked)
                writer.write(_http(status, json.dumps(told).encode()))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _http(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Sunk\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
