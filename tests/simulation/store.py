"""A twin of an R2 bucket, in memory and in virtual time."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lrtkit.wire.errors import Conflict, Throttled
from lrtkit.wire.s3 import Item, Listed
from tests.simulation.clock import START, Meter

ANSWER_S = 0.05
WRITE_INTERVAL_S = 1.0


@dataclass(frozen=True)
class Thing:
    """An object and the time of its last write."""

    body: bytes
    written: float

    @property
    def etag(self) -> str:
        """The ETag of its content."""
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


class StoreTwin:
    """Behaves as R2 does where a worker can see it; a second a byte are what a file takes on its way up and down.

    ``calls`` counts the requests.
    """

    def __init__(self, meter: Meter, *, up_s_a_byte: float = 0.0, down_s_a_byte: float = 0.0) -> None:
        self.calls: Counter[str] = Counter()
        self._meter = meter
        self._up_s_a_byte = up_s_a_byte
        self._down_s_a_byte = down_s_a_byte
        self._things: dict[str, Thing] = {}

    def get(self, key: str) -> Item | None:
        """Return an object, or None where there is none of that key."""
        self._meet("get")
        thing = self._things.get(key)
        return Item(thing.body, thing.etag) if thing else None

    def changed(self, key: str, etag: str) -> bool:
        """Tell whether an object is no longer the one of this ETag."""
        self._meet("head")
        return self._etag(key) != etag

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        self._meet("put")
        self._write(key, body)

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write over the object of this ETag (None: where there is none) and return the new ETag."""
        self._meet("put")
        if self._etag(key) != etag:
            raise Conflict(f"{key} is not the one of {etag}")
        return self._write(key, body)

    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object."""
        self._meet("put")
        body = path.read_bytes()
        self._meter.spend(len(body) * self._up_s_a_byte)
        self._write(key, body)

    def download(self, key: str, path: Path) -> bool:
        """Write an object to a file; tell whether there was one."""
        self._meet("get")
        thing = self._things.get(key)
        if thing:
            self._meter.spend(len(thing.body) * self._down_s_a_byte)
            path.write_bytes(thing.body)
        return thing is not None

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List the objects whose keys begin with ``prefix``, in the order of their keys."""
        self._meet("list")
        for key in sorted(self._things):
            if key.startswith(prefix):
                thing = self._things[key]
                yield Listed(key, thing.etag, len(thing.body), START + thing.written)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there do not matter."""
        for key in keys:
            self._meet("delete")
            self._things.pop(key, None)

    def _write(self, key: str, body: bytes) -> str:
        now = asyncio.get_running_loop().time()
        if key in self._things and now - self._things[key].written < WRITE_INTERVAL_S:
            raise Throttled(f"more than one write a second to {key}")
        self._things[key] = Thing(body, now)
        return self._things[key].etag

    def _etag(self, key: str) -> str | None:
        return self._things[key].etag if key in self._things else None

    def _meet(self, call: str) -> None:
        self.calls[call] += 1
        self._meter.spend(ANSWER_S)
