"""What was submitted to an experiment: a list in the bucket for each submission, written before anything is sent.

``{time}.jsonl`` has a line for each job that was to be sent. ``{time}.sent`` is its mark, written when
the queue has taken every one of them. A list without a mark is a submission on its way, or one that
ended half-way: nobody knows which of its jobs are queued. They are sent again by the next submission
of the same rows, which is safe: within five minutes the queue drops the second message, and later
ones wait in the job's own group until the first is dealt with, find the record final and are
acknowledged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lrtkit.wire import keys
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import Conflict
from lrtkit.wire.job import Job
from lrtkit.wire.s3 import Store


@dataclass(frozen=True)
class Line:
    """One job of a list: the whole body, and the fingerprint of what it computes."""

    fields: Mapping[str, Any]
    fingerprint: str

    @property
    def job_id(self) -> str:
        """The name under which the bucket keeps the job."""
        return str(self.fields["job_id"])


def announce(store: Store, experiment: str, jobs: Iterable[Job]) -> str:
    """Write the list of jobs that are about to be sent, and return its key."""
    lines = ({"fingerprint": job.fingerprint, "job": job.fields} for job in jobs)
    body = "".join(f"{json.dumps(line, separators=(',', ':'), ensure_ascii=False)}\n" for line in lines).encode()
    while True:
        key = keys.submission(experiment, iso(time.time()))
        try:
            store.swap(key, body, None)
        except Conflict:  # somebody else has submitted in the same millisecond
            continue
        return key


def confirm(store: Store, submission: str) -> None:
    """Mark a list, given by its key, as taken by the queue."""
    store.put(keys.sent(submission), b"")


def parse(body: bytes) -> list[Line]:
    """Return the jobs of a list."""
    found = map(json.loads, body.splitlines())  # of bytes, as text would also be split at U+2028 and its like
    return [Line(line["job"], line["fingerprint"]) for line in found]
