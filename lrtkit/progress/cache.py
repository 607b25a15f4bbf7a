"""Objects of the bucket, read in parallel, and read again only when they have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lrtkit.wire.s3 import Item, Listed

T = TypeVar("T")

THREADS = 32


@dataclass(frozen=True)
class _Kept:
    etag: str
    value: Any


class Source(Protocol):
    """What reading needs of the bucket."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List the objects whose keys begin with ``prefix``, in the order of their keys."""

    def read(self, key: str) -> Item | None:
        """Return an object, or None where there is none of that key."""


class Cache:
    """Keeps what was made of each object, under the ETag that it was listed with.

    An object that changes between its listing and its reading is read once more than needed, never less.
    """

    def __init__(self, store: Source) -> None:
        self._store = store
        self._kept: dict[str, _Kept] = {}

    def read(self, listed: Iterable[Listed], parse: Callable[[bytes], T]) -> dict[str, T]:
        """Return what ``parse`` makes of each listed object, by its key; an object that is gone by now is left out."""
        wanted = list(listed)
        changed = [found for found in wanted if not self._is_kept(found)]
        with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as threads:
            try:
                for found, item in zip(changed, threads.map(self._get, changed), strict=True):
                    if item:
                        self._kept[found.key] = _Kept(found.etag, parse(item.body))
                    else:
                        self._kept.pop(found.key, None)
            finally:
                threads.shutdown(cancel_futures=True)
        return {found.key: self._kept[found.key].value for found in wanted if found.key in self._kept}

    def _is_kept(self, found: Listed) -> bool:
        kept = self._kept.get(found.key)
        return kept is not None and kept.etag == found.etag

    def _get(self, found: Listed) -> Item | None:
        return self._store.read(found.key)
