"""Objects of the bucket, read in parallel, and read again only when they have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lrtkit.wire.listing import Listed, Page

T = TypeVar("T")


@dataclass(frozen=True)
class _Kept:
    etag: str
    value: Any


class Source(Protocol):
    """What reading needs of the bucket."""

    def pages(self, prefix: str, after: Sequence[str]) -> list[Page]:
        """List, for each of these keys, the first page of what follows it among the keys that begin with ``prefix``."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List the objects whose keys begin with ``prefix``, page after page."""

    def read(self, keys: Sequence[str], make: Callable[[bytes], T]) -> dict[str, T]:
        """Return what ``make`` makes of each object's body, by its key; a key that is not there is left out."""


class Cache:
    """Keeps what was made of each object, under the ETag that it was listed with.

    An object that changes between its listing and its reading is read once more than needed, never less.
    """

    def __init__(self, store: Source) -> None:
        self._store = store
        self._kept: dict[str, _Kept] = {}

    def read(
        self, listed: Iterable[Listed], make: Callable[[bytes], T], *, damaged: Callable[[T], bool] = lambda _: False
    ) -> dict[str, T]:
        """Return what ``make`` makes of each listed object, by its key; an object that is gone by now is left out.

        What is ``damaged`` is read a second time and never kept: it may have been damaged only on its way.
        """
        wanted = list(listed)
        changed = [found for found in wanted if not self._is_kept(found)]
        made = self._store.read([found.key for found in changed], make)
        again = [key for key, value in made.items() if damaged(value)]
        made |= self._store.read(again, make) if again else {}
        for found in changed:
            if found.key in made and not damaged(made[found.key]):
                self._kept[found.key] = _Kept(found.etag, made[found.key])
            else:
                self._kept.pop(found.key, None)
        return {found.key: self._kept[found.key].value for found in wanted if found.key in self._kept} | made

    def _is_kept(self, found: Listed) -> bool:
        kept = self._kept.get(found.key)
        return kept is not None and kept.etag == found.etag
