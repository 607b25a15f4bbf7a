"""Reads by the thousand, at a fraction of what each costs through botocore, and hundreds of them under way at once.

Requests go over plain connections that are kept open, on an event loop of their own. Whatever is
not a whole answer at once, such as a missing key, a throttle, a proxy or a broken connection, is
left to botocore, which knows what to do about it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies

from lrtkit.wire import signing
from lrtkit.wire.line import Answer, Line, request
from lrtkit.wire.settings import BucketSettings

T = TypeVar("T")

Asked: TypeAlias = tuple[str, Mapping[str, str]]
"""A key and no query, or no key and the query of a list."""

TIMEOUT_S = 10
MOST = 512
"""Reads under way at once: at a tenth of a second for each answer, 5,120 a second."""

FEW = 32
"""As many are worth a connection each; of more, each connection that is made should carry four."""


class FastReader:
    """Reads from a bucket where that goes smoothly."""

    def __init__(self, settings: BucketSettings) -> None:
        self._url = urlsplit(settings.endpoint_url)
        self._root = f"{self._url.path.rstrip('/')}/{settings.name}"
        self._access = settings.access
        self._region = "auto"
        self._by_proxy = self._url.scheme in getproxies()
        self._idle: list[Line] = []
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_serve, args=(self._loop,), name="reading", daemon=True).start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, _end, self._loop, self._idle)

    def target(self, asked: Asked) -> str:
        """Return the path, and the query in the order of its names, as a request has them."""
        key, query = asked
        path = f"{self._root}/{quote(key, safe='/~')}" if key else self._root
        return f"{path}?{urlencode(sorted(query.items()), quote_via=quote, safe='~')}" if query else path

    def read(self, asked: Sequence[Asked], take: Callable[[Answer], T | None]) -> list[T | None]:
        """Return what ``take`` makes of each answer, in their order; None where botocore has to be asked."""
        if self._by_proxy or not asked:
            return [None] * len(asked)
        reading = asyncio.run_coroutine_threadsafe(self._read(asked, take), self._loop)
        try:
            return reading.result()
        finally:
            reading.cancel()

    async def _read(self, asked: Sequence[Asked], take: Callable[[Answer], T | None]) -> list[T | None]:
        taken: list[T | None] = [None] * len(asked)
        left = iter(enumerate(map(self.target, asked)))

        async def work() -> None:
            for place, target in left:
                answer = await self._answer(target)
                taken[place] = take(answer) if answer else None

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._connections(len(asked))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return taken

    def _connections(self, reads: int) -> int:
        """Return how many connections so many reads are worth, within half of the files that a process may open."""
        files = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 2 * MOST
        at_hand = sum(line.is_open for line in self._idle)
        return min(reads, max(FEW, reads // 4, at_hand), MOST, max(1, files // 2))

    async def _answer(self, target: str) -> Answer | None:
        """Return a whole answer; None for any other, and where there is none."""
        by = self._region
        answer = await self._asked(target)
        if answer and self._told_region(answer) != by:
            answer = await self._asked(target)
        return answer if answer and answer.status == 200 else None

    async def _asked(self, target: str) -> Answer | None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                line = await self._line()
                try:
                    answer = await line.get(request(target, self._headers(target)))
                except BaseException:
                    line.close()
                    raise
        except OSError:  # a time-out is one too
            return None
        if line.is_open:
            self._idle.append(line)
        return answer

    async def _line(self) -> Line:
        """Return a connection that nobody else uses."""
        while self._idle:
            line = self._idle.pop()
            if line.is_open:
                return line
        return await Line.connected(self._url)

    def _told_region(self, answer: Answer) -> str:
        """Return the region to ask by, which S3 tells with a refusal; on R2 every region is auto."""
        if answer.status != 200:
            self._region = answer.headers.get("x-amz-bucket-region", self._region)
        return self._region

    def _headers(self, target: str) -> dict[str, str]:
        return signing.headers(self._access, self._region, host=self._url.netloc, target=target, now=time.time())


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _end(loop: asyncio.AbstractEventLoop, lines: list[Line]) -> None:
    """Close what is open and end the loop after it."""
    for line in lines:
        line.close()
    loop.call_soon(loop.stop)
