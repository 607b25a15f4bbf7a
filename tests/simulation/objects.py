"""One bucket of S3 in memory: objects by key, their keys in order, and uploads in parts that are not complete."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

PART_BYTES = 8 * 1024 * 1024
"""The size of boto3's parts, and of the files that it sends in one."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """An object, and the time of its last write."""

    body: bytes
    etag: str
    written: float
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Upload:
    """Parts of an object that is not there yet."""

    key: str
    metadata: Mapping[str, str]
    parts: dict[int, tuple[bytes, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """What a listing found: keys and common prefixes in order; ``last`` where it goes on, if it does."""

    keys: Sequence[str]
    prefixes: Sequence[str]
    last: str | None


class Objects:
    """Objects by key."""

    def __init__(self, created: float) -> None:
        self.created = created
        self.things: dict[str, Thing] = {}
        self.uploads: dict[str, Upload] = {}
        self._keys: list[str] = []

    def put(self, key: str, thing: Thing) -> None:
        """Write an object."""
        if key not in self.things:
            bisect.insort(self._keys, key)
        self.things[key] = thing

    def drop(self, key: str) -> None:
        """Take an object away, if it is there."""
        if self.things.pop(key, None):
            del self._keys[bisect.bisect_left(self._keys, key)]

    def page(self, prefix: str, delimiter: str, after: str, most: int) -> Page:
        """Return up to ``most`` keys and common prefixes that come after a key."""
        keys: list[str] = []
        prefixes: list[str] = []
        last = None
        for entry, is_prefix in self._entries(prefix, delimiter, after):
            if len(keys) + len(prefixes) == most:
                return Page(keys, prefixes, last)
            (prefixes if is_prefix else keys).append(entry)
            last = entry
        return Page(keys, prefixes, None)

    def _entries(self, prefix: str, delimiter: str, after: str) -> Iterator[tuple[str, bool]]:
        """Yield keys, and once each what they have in common up to the delimiter."""
        place = max(bisect.bisect_left(self._keys, prefix), bisect.bisect_right(self._keys, after))
        while place < len(self._keys) and (key := self._keys[place]).startswith(prefix):
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                yield key, False
                place += 1
                continue
            common = key[: end + len(delimiter)]
            if common != after:
                yield common, True
            place = bisect.bisect_left(self._keys, common + chr(0x10FFFF), place)


def etag_of(body: bytes) -> str:
    """Return the ETag of an object that was written whole."""
    return f'"{_md5(body).hexdigest()}"'


def etag_of_parts(etags: Sequence[str]) -> str:
    """Return the ETag of an object that was written in parts."""
    whole = _md5(b"".join(bytes.fromhex(each.strip('"')) for each in etags)).hexdigest()
    return f'"{whole}-{len(etags)}"'


def etag_of_file(body: bytes) -> str:
    """Return the ETag of a file as boto3 sends it: large ones in parts."""
    if len(body) < PART_BYTES:
        return etag_of(body)
    parts = [etag_of(body[start : start + PART_BYTES]) for start in range(0, len(body), PART_BYTES)]
    return etag_of_parts(parts)


def _md5(body: bytes) -> hashlib._Hash:
    return hashlib.md5(body, usedforsecurity=False)
