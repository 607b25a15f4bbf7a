"""The steps that were taken, kept in the bucket for everybody: one object a day, a line a step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import takewhile
from typing import Any

from lrtkit.scaling import Step
from lrtkit.wire import keys, strict
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import Conflict, Throttled
from lrtkit.wire.s3 import Item, S3Store

_TRIES = 8

PAUSE_S = 1.1
"""R2 takes one write a second to one key."""


class Ledger:
    """Appends by compare-and-swap, so that two who step at once both find their line."""

    def __init__(self, store: S3Store, queue_name: str, *, sleep: Callable[[float], None]) -> None:
        self._store = store
        self._queue = queue_name
        self._sleep = sleep

    def recent(self, at: float, *, within_s: float) -> list[Step]:
        """Return the steps of so many seconds before ``at``, oldest first; no more of a day is read than that."""
        since, first, last = iso(at - within_s), self._key(at - within_s), self._key(at)
        days = [day for day in reversed(self._days()) if first <= day <= last]
        newest_first = (line for day in days for line in self._lines(day, newest_first=True))
        return Step.all_of(reversed(list(takewhile(lambda line: line["at"] >= since, newest_first))))

    def append(self, step: Step) -> None:
        """Write a step down; raise Conflict or Throttled where others are always faster."""
        key, line = self._key(step.snapshot.at), json.dumps(step.to_json()).encode() + b"\n"
        for attempt in range(_TRIES):
            found = self._get(key)
            try:
                self._store.swap(key, (found.body if found else b"") + line, found.etag if found else None)
            except (Conflict, Throttled):
                if attempt == _TRIES - 1:
                    raise
                self._sleep(PAUSE_S)
            else:
                return

    def last_taken(self, group: str) -> Step | None:
        """Return the group's newest step that was no dry run, of the last two days that have any."""
        for day in sorted(self._days(), reverse=True)[:2]:
            steps = reversed(Step.all_of(self._lines(day)))
            if step := next((each for each in steps if each.snapshot.group == group and not each.dry_run), None):
                return step
        return None

    def all(self) -> list[dict[str, Any]]:
        """Return all steps, oldest first."""
        return [line for day in self._days() for line in self._lines(day)]

    def _key(self, at: float) -> str:
        return keys.readings(self._queue, iso(at)[:10])

    def _days(self) -> list[str]:
        return [each.key for each in self._store.listed(keys.readings_of(self._queue))]

    def _get(self, key: str) -> Item | None:
        """Return a day; S3 denies, to who may not list the bucket, to say that an object is not there."""
        return self._store.get(key) if key in self._days() else None

    def _lines(self, day: str, *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
        """Give the lines of a day that say when they were written; one that is damaged must not end all scaling."""
        found = self._store.get(day)
        lines = found.body.splitlines() if found else []
        for line in reversed(lines) if newest_first else lines:
            with suppress(ValueError):
                told = strict.loads(line)
                if isinstance(told, dict) and isinstance(told.get("at"), str):
                    yield told
