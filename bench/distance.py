"""A server far away, on loopback: every piece arrives later by the same delay, however many are under way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here leaves by the other end, a delay later and in its order."""

    def __init__(self, delay_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay_s = delay_s
        self._not_before = 0.0
        self._under_way: deque[bytes | None] = deque()
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, piece: bytes) -> None:
        self._send(piece)

    def connection_lost(self, _: Exception | None) -> None:
        self._send(None)

    def _send(self, piece: bytes | None) -> None:
        """Put a piece, or None for the end, on its way."""
        self._under_way.append(piece)
        self._loop.call_at(max(self._loop.time() + self._delay_s, self._not_before), self._deliver)

    def _deliver(self) -> None:
        piece = self._under_way.popleft()
        if self.other is None:
            return
        if piece is None:
            self.other.transport.close()
        else:
            self.other.transport.write(piece)


class _NearEnd(_End):
    """The end at the client, which takes it for connected at once: its first piece waits for that round trip."""

    def __init__(self, delay_s: float, host: str, port: int) -> None:
        super().__init__(delay_s)
        self._where = (host, port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._not_before = self._loop.time() + 3 * self._delay_s
        self.transport.pause_reading()
        self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            _, far = await self._loop.create_connection(lambda: _End(self._delay_s), *self._where)
        except OSError:
            self.transport.abort()
            return
        self.other, far.other = far, self
        self.transport.resume_reading()


async def _serve(host: str, port: int, delay_s: float) -> None:
    """Pass on until standard input ends, which it does with the process that started this one; tell the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _NearEnd(delay_s, host, port), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def distant(url: str, delay_s: float = 0.05) -> Iterator[str]:
    """Put a server farther away for a while, by ``delay_s`` seconds each way, and give the URL of its new place.

    Throughput is not limited and nothing overtakes; to connect costs a round trip. It runs in a
    process of its own, so as not to share an interpreter with what is measured.
    """
    where = urlsplit(url)
    command = [sys.executable, "-m", "bench.distance", str(where.hostname), str(where.port), str(delay_s)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"  # type: ignore[union-attr]
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
