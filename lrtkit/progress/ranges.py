"""All keys below a prefix, listed in parallel between keys that are known to lie among them.

A bucket gives its list a page at a time, and each page tells only where the next begins. What was
listed before tells where to begin everywhere at once: the range from each of those keys to the next
is listed until its end has been seen, so that a key which has come or gone meanwhile is found, or
not, in the one range in which it lies.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lrtkit.progress.cache import Source
from lrtkit.wire.listing import Listed, Page

STRIDE = 900
"""Keys in a range: fewer than a page has, so that the range may grow by some and still be one."""


@dataclass
class _Range:
    """The keys after ``after`` up to and with ``until``, or to the end; what was found of them so far."""

    after: str
    until: str | None
    found: list[Listed] = field(default_factory=list)
    is_whole: bool = False

    def take(self, page: Page) -> None:
        """Take in the page that follows what was found so far."""
        last = page.found[-1].key if page.found else self.after
        self.found += (each for each in page.found if self.until is None or each.key <= self.until)
        self.is_whole = page.is_last or (self.until is not None and last >= self.until)
        self.after = last


class Ranges:
    """Lists a prefix, and remembers where to divide it the next time.

    ``read_at`` is when it was last listed: seconds since 1970, by the bucket's clock where that tells.
    """

    def __init__(self, store: Source, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._bounds: Sequence[str] = ()
        self._is_sorted = True
        self.read_at = 0.0

    def divide(self, bounds: Sequence[str]) -> None:
        """Take it that keys lie about these, of which any may not be there."""
        self._bounds = sorted(bounds)

    def listed(self) -> list[Listed]:
        """List everything below the prefix, in the order of the keys."""
        found = self._in_parallel() if self._is_sorted else None
        if found is None:
            self._is_sorted, self.read_at = False, time.time()
            return sorted(self._store.listed(self._prefix), key=lambda each: each.key)
        self._bounds = [each.key for each in found[STRIDE - 1 :: STRIDE]]
        return found

    def _in_parallel(self) -> list[Listed] | None:
        """List all ranges; None where the bucket does not list in the order that ranges need."""
        ranges = [_Range(*ends) for ends in zip(["", *self._bounds], [*self._bounds, None], strict=True)]
        while rest := [each for each in ranges if not each.is_whole]:
            pages = self._store.pages(self._prefix, [each.after for each in rest])
            for each, page in zip(rest, pages, strict=True):
                if not _goes_on(each.after, page):
                    return None
                each.take(page)
                self.read_at = page.read_at or time.time()
        return [found for each in ranges for found in each.found]


def _goes_on(after: str, page: Page) -> bool:
    """Tell whether a page has what comes next after a key, in the order in which keys are compared here."""
    keys = [after, *(found.key for found in page.found)]
    return (page.is_last or bool(page.found)) and all(former < latter for former, latter in pairwise(keys))
