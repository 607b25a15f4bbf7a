"""What was submitted to an experiment: lists in the bucket, written before anything is sent.

A list ``{time}.jsonl`` has a line for each job that was to be sent. A submission of many jobs makes
several, none too large to be read at once. ``{time}.sent`` is a list's mark, written when the queue
has taken every one of its jobs. A list without a mark is a submission on its way, or one that ended
half-way: nobody knows which of its jobs are queued. They are sent again by the next submission of the
same rows, which is safe: within five minutes the queue drops the second message, and later ones wait
in the job's own group until the first is dealt with, find the record final and are acknowledged.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from os import SEEK_END
from pathlib import Path
from types import TracebackType
from typing import Any

from lrtkit.wire import keys, parcel
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import Conflict, DamagedFile
from lrtkit.wire.job import Job
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.s3 import Store

LARGEST_LIST = 4 * 1024 * 1024
"""Bytes of a list, but for one that has a single longer line."""

LARGEST_FIELD = 1024
"""Bytes of a field that a line still has when the job's body is too large for a message."""

THREADS = 8


@dataclass(frozen=True)
class Line:
    """One job of a list: its fields, and the fingerprint of what it computes.

    Of a job that is too large for a message ``body`` is the hash of its body in the bucket, and
    ``fields`` are only those that are small.
    """

    fields: Mapping[str, Any]
    fingerprint: str
    body: str | None = None

    @property
    def job_id(self) -> str:
        """The name under which the bucket keeps the job."""
        return str(self.fields["job_id"])

    @property
    def parcel(self) -> Parcel:
        """The job as its message carries it."""
        if self.body:
            return parcel.claim_check(self.job_id, self.fingerprint, self.body)
        return Parcel(self.job_id, self.fingerprint, Job(self.fields).body)

    def written(self) -> bytes:
        """Return it as a list has it."""
        told = {"fingerprint": self.fingerprint, "job": self.fields, **({"body": self.body} if self.body else {})}
        return f"{_json(told)}\n".encode()


class Draft:
    """The lists and bodies of a submission on this machine's disk, until every row of its table is checked.

    A context manager, with which everything on disk goes. ``largest`` is the size of the queue's
    largest message in bytes, ``jobs`` how many have been added.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._folder = tempfile.TemporaryDirectory(prefix="lrt-")
        self._lines = (Path(self._folder.name) / "lines").open("w+b")
        self._starts = [0]
        self._bodies: dict[str, Path] = {}
        self.jobs = 0

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._lines.close()
        self._folder.cleanup()

    def add(self, job: Job) -> None:
        """Take down a job."""
        body = job.body.encode()
        line = (Line(job.fields, job.fingerprint) if len(body) <= self._largest else self._apart(job, body)).written()
        here = self._lines.tell()
        if self._starts[-1] < here and here + len(line) > self._starts[-1] + LARGEST_LIST:
            self._starts.append(here)
        self._lines.write(line)
        self.jobs += 1

    @property
    def bodies(self) -> int:
        """How many jobs are too large for a message."""
        return len(self._bodies)

    def upload(self, store: Store) -> Iterator[None]:
        """Write the bodies that no message can carry, one for each that is asked for."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="bodies") as threads:
            yield from threads.map(store.upload, self._bodies.values(), self._bodies)

    def announce(self, store: Store, experiment: str) -> list[str]:
        """Write all lists, and return their keys."""
        return [announce(store, experiment, part) for part in self._parts()]

    def parcels(self) -> Iterator[Iterator[Parcel]]:
        """Give the jobs of one list after the other."""
        return ((line.parcel for line in lines(part)) for part in self._parts())

    def _apart(self, job: Job, body: bytes) -> Line:
        """Put a body that no message can carry into a file of its own."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = Path(self._folder.name) / str(len(self._bodies))
        path.write_bytes(body)
        self._bodies[keys.body(job.job_id, sha256)] = path
        small = {name: value for name, value in job.fields.items() if len(_json(value).encode()) <= LARGEST_FIELD}
        return Line(small, job.fingerprint, sha256)

    def _parts(self) -> Iterator[bytes]:
        self._lines.flush()
        for start, end in pairwise([*self._starts, self._lines.seek(0, SEEK_END)]):
            self._lines.seek(start)
            yield self._lines.read(end - start)


def announce(store: Store, experiment: str, part: bytes) -> str:
    """Write a list of jobs that are about to be sent, and return its key."""
    while True:
        key = keys.submission(experiment, iso(time.time()))
        try:
            store.swap(key, part, None)
        except Conflict:  # somebody else has submitted in the same millisecond
            continue
        return key


def confirm(store: Store, submission: str) -> None:
    """Mark a list, given by its key, as taken by the queue."""
    store.put(keys.sent(submission), b"")


def parse(body: bytes) -> list[Line]:
    """Return the jobs of a list; raise DamagedFile where it is none."""
    found: list[Line] = []
    try:
        for line in lines(body):
            found.append(line)  # noqa: PERF402  (how far it came tells which line it is)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedFile(f"its line {len(found) + 1} tells of no job") from error
    return found


def lines(body: bytes) -> Iterator[Line]:
    """Give the jobs of a list, one by one."""
    for found in map(json.loads, body.splitlines()):  # of bytes, as text would also be split at U+2028 and its like
        if not isinstance(found["job"]["job_id"], str):
            raise TypeError("a job without an id")
        yield Line(found["job"], found["fingerprint"], found.get("body"))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
