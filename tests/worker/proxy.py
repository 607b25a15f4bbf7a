"""A line to a server that can be cut."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit


class Line:
    """Passes TCP on to a server on this machine, in a thread of its own, until it is cut.

    A dead line refuses what comes; a silent one takes it and never answers.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._dead = False
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._flows = self._run(self._event())
        server = self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def cut(self, *, silent: bool = False) -> None:
        """Let nothing through any more."""
        self._run(self._cut(silent=silent))

    def mend(self) -> None:
        """Let everything through again; what was held up in silence is lost."""
        self._run(self._mend())

    def close(self) -> None:
        """Take the line down."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _event(self) -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    async def _cut(self, *, silent: bool) -> None:
        self._flows.clear()
        if not silent:
            self._dead = True
            self._abort()

    async def _mend(self) -> None:
        self._abort()
        self._dead = False
        self._flows.set()

    async def _end(self) -> None:
        self._server.close()
        self._abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._dead:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._open |= {writer, back}
        await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self._open -= {writer, back}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                await self._flows.wait()
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # the other side has gone
        finally:
            writer.close()
