"""A line as slow as a home's, on loopback: what goes up passes at a rate, what comes down at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

PIECE = 64 * 1024

LATE_S = 0.2
"""How much of its time the line makes up for when the machine was too busy to serve it."""


class Link:
    """Forwards connections to a server; all of them share one rate, in bytes a second."""

    def __init__(self, target: str, bytes_a_s: float) -> None:
        where = urlsplit(target)
        self._host, self._port = where.hostname, where.port
        self._bytes_a_s = bytes_a_s
        self._free_at = 0.0

    async def serve(self, listening: Future[int], stop: asyncio.Event) -> None:
        """Forward until stopped; ``listening`` gets the port."""
        async with await asyncio.start_server(self._forward, "127.0.0.1", 0) as server:
            listening.set_result(server.sockets[0].getsockname()[1])
            await stop.wait()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self._host, self._port)
        up = self._pump(reader, to_server, paced=True)
        with suppress(asyncio.CancelledError):  # streams would complain of it
            await asyncio.gather(up, self._pump(from_server, writer, paced=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, paced: bool) -> None:
        try:
            while piece := await reader.read(PIECE):
                if paced:
                    await self._turn(len(piece))
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _turn(self, size: int) -> None:
        """Wait until the line is free, and take it for as long as so many bytes need."""
        now = asyncio.get_running_loop().time()
        start = max(now - LATE_S, self._free_at)
        self._free_at = start + size / self._bytes_a_s
        await asyncio.sleep(max(0.0, start - now))


@contextmanager
def throttled(target: str, *, bytes_a_s: float) -> Iterator[str]:
    """Put a slow line before a server for a while and give its URL."""
    listening: Future[int] = Future()
    stop = asyncio.Event()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=runner.run, args=(Link(target, bytes_a_s).serve(listening, stop),))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.result(timeout=10)}"
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
