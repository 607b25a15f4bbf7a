"""The depth of the queue over time: read, kept in the bucket for everybody, and told with its past.

::

    queue ─ read ─► readings ─ a minute's at once ─► _depth/{queue}/{hour}.jsonl ─┐
    steps of the autoscaler ────────────────────────────────────────────────────┴─► DataFrame
"""

from __future__ import annotations

import json
import math
import threading
import time
import weakref
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Any

import pandas as pd

from lrtkit.wire import keys
from lrtkit.wire.clock import iso, seconds_of
from lrtkit.wire.errors import Conflict, LrtError
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import SqsQueue

KEEP_S = 60.0
"""How long readings are gathered before they are written: an object is written once a minute, not at each reading."""

CLOSE_S = 120.0
"""Between two readings of this kernel that are so close, those of others tell nothing new."""

MOST_OWN = 10_000
"""Readings of its own that a kernel remembers; the bucket has the older ones."""

MOST_UNKEPT = 10_000
TRIES = 5

_COUNTS = ("waiting", "in_flight", "delayed", "dead", "replicas")

Reading = dict[str, Any]
"""What was seen: ``at``, ISO 8601 in UTC, and counts by their names."""


class Depths:
    """The readings of one queue: this kernel's own, and those that the bucket keeps."""

    def __init__(self, queue: SqsQueue, store: S3Store, *, now: Callable[[], float] = time.time) -> None:
        self._queue = queue
        self._store = store
        self._now = now
        self._lock = threading.Lock()
        self._own: deque[Reading] = deque(maxlen=MOST_OWN)
        self._unkept: list[Reading] = []
        self._kept: dict[str, tuple[str, list[Reading]]] = {}
        self._looked_at = 0.0
        self._looked_since = math.inf

    def read(self, oldest_s: float | None = None) -> None:
        """Take a reading, and write down what has gathered for a minute; ``oldest_s`` is the age of the oldest job."""
        depth, now = self._queue.depth(), self._now()
        oldest = {} if oldest_s is None else {"oldest_s": round(oldest_s, 1)}
        reading = {"at": iso(now), **asdict(depth), **oldest}
        with self._lock:
            self._own.append(reading)
            self._unkept = [*self._unkept, reading][-MOST_UNKEPT:]
            is_due = now - seconds_of(self._unkept[0]["at"]) >= KEEP_S
        if is_due:
            with suppress(LrtError):  # the next minute tries again
                self.keep()

    def keep(self) -> None:
        """Write down what has gathered; raise as the bucket does."""
        with self._lock:
            gathered = list(self._unkept)
        hours: dict[str, list[Reading]] = {}
        for reading in gathered:
            hours.setdefault(keys.depths(self._queue.name, reading["at"]), []).append(reading)
        for key, readings in hours.items():
            self._append(key, "".join(f"{json.dumps(each)}\n" for each in readings).encode())
            with self._lock:
                self._unkept = [each for each in self._unkept if each not in readings]

    def frame(self, past_h: float) -> pd.DataFrame:
        """Return the readings of the last hours, kept ones beside this kernel's own; see ``Experiment.depth``."""
        with self._lock:
            own = list(self._own)
        since = min([self._now() - past_h * 3600, *(seconds_of(each["at"]) for each in own[-1:])])
        with suppress(LrtError):  # what was just read is told all the same
            self._look(since)
        with self._lock:
            kept = [each for _, readings in self._kept.values() for each in readings]
        chosen = _beside(own, kept)
        return _frame([each for each in chosen if seconds_of(each["at"]) >= since])

    def _append(self, key: str, lines: bytes) -> None:
        for turn in range(TRIES):
            found = self._store.get(key)
            try:
                self._store.swap(key, (found.body if found else b"") + lines, found.etag if found else None)
            except Conflict:  # a colleague samples too
                if turn == TRIES - 1:
                    raise
            else:
                return

    def _look(self, since: float) -> None:
        """Read what others have kept, if that was not done for a minute, or not so far back."""
        if self._now() - self._looked_at < KEEP_S and since >= self._looked_since:
            return
        found = [*self._store.listed(keys.depths_of(self._queue.name))]
        found += self._store.listed(keys.readings_of(self._queue.name))
        young = [each for each in found if each.modified_at >= since]
        changed = [each for each in young if self._kept.get(each.key, ("",))[0] != each.etag]
        read = self._store.read([each.key for each in changed], lambda body: list(_parsed(body)))
        with self._lock:
            self._kept |= {each.key: (each.etag, read[each.key]) for each in changed if each.key in read}
        self._looked_at, self._looked_since = self._now(), since


class Sampling:
    """Reads the depth of a queue again and again in the background, until it is stopped.

    It ends also with the object that reads, which it does not keep alive, and with the kernel. A context
    manager, too. Whatever goes wrong is told by its repr and tried again; no cell fails for it.
    """

    def __init__(self, depths: Depths, read: Callable[[], object], *, every_s: float) -> None:
        self._depths = depths
        self._read = weakref.WeakMethod(read)
        self._every_s = every_s
        self._ended = threading.Event()
        self._readings = 0
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="sampling", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, and write down what was read since the last minute."""
        self._ended.set()
        self._thread.join()
        with suppress(LrtError):
            self._depths.keep()

    def __enter__(self) -> Sampling:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "stopped" if self._ended.is_set() else f"every {self._every_s:g} s"
        trouble = f"; the last attempt failed: {self._trouble}" if self._trouble else ""
        return f"<sampling {state}: {self._readings:,} readings{trouble}>"

    def _run(self) -> None:
        while not self._ended.is_set() and (read := self._read()):
            try:
                read()
            except Exception as error:  # noqa: BLE001  (whatever it is, it may be over the next time)
                self._trouble = str(error) or type(error).__name__
            else:
                self._readings += 1
                self._trouble = ""
            del read
            self._ended.wait(self._every_s)


def _parsed(body: bytes) -> Iterator[Reading]:
    """Give the readings of an object: of a sampling, or of the autoscaler's steps; other lines say nothing."""
    for line in body.splitlines():
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            told = json.loads(line)
            seen = told.get("snapshot", told)
            counts = {name: int(seen[name]) for name in _COUNTS if name in seen}
            if told.get("outcome") == "done":  # until the next reading the group has what the step set
                counts["replicas"] = int(told["decision"]["replicas"])
            oldest = {"oldest_s": float(seen["oldest_s"])} if "oldest_s" in seen else {}
            yield {"at": iso(seconds_of(told["at"])), **counts, **oldest}


def _beside(own: Sequence[Reading], kept: Sequence[Reading]) -> list[Reading]:
    """Return this kernel's readings, and those kept by anybody for the times in which this kernel read seldom."""
    times = sorted(seconds_of(each["at"]) for each in own)
    others = {each["at"]: each for each in kept if not _is_between(times, seconds_of(each["at"]))}
    return sorted([*others.values(), *own], key=lambda each: str(each["at"]))


def _is_between(times: Sequence[float], at: float) -> bool:
    """Tell whether a time is one of these, or lies between two of them that are close."""
    place = bisect_left(times, at)
    if place < len(times) and times[place] == at:
        return True
    return 0 < place < len(times) and times[place] - times[place - 1] < CLOSE_S


def _frame(readings: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    times = pd.to_datetime([each["at"] for each in readings], utc=True, format="ISO8601")
    index = pd.DatetimeIndex(times, name="at", dtype="datetime64[us, UTC]")
    names = [name for name in _COUNTS if name != "replicas" or any("replicas" in each for each in readings)]
    columns: dict[str, Any] = {name: pd.array([each.get(name) for each in readings], dtype="Int64") for name in names}
    seconds = pd.array([each.get("oldest_s") for each in readings], dtype="Float64")
    oldest = pd.to_timedelta(pd.Series(seconds, dtype="float64"), unit="s").astype("timedelta64[s]")
    return pd.DataFrame({**columns, "oldest": oldest.array}, index=index)
