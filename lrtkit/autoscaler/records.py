"""Which jobs have not ended by their records, for the moment at which the queue says that there are none."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import takewhile

from lrtkit.wire import keys
from lrtkit.wire.errors import DamagedFile, Denied
from lrtkit.wire.listing import Listed
from lrtkit.wire.record import Record
from lrtkit.wire.s3 import S3Store

MOST_RECORDS = 100
LOOK_S = 3.0
"""A function has ten seconds, and must not fail at the very end of all jobs because there were many.

The queue is asked twice over two leases, and the replicas whether they are busy; this is the last witness.
"""


def count_open(store: S3Store, *, within_s: float = LOOK_S) -> int:
    """Return how many of the newest records without a result are still open, as far as key and time suffice."""
    until = time.monotonic() + within_s
    try:
        listing = takewhile(lambda _: time.monotonic() < until, store.listed(""))
        newest = sorted(_unfinished(listing), key=lambda found: -found.modified_at)
        return sum(store.read([found.key for found in newest[:MOST_RECORDS]], _is_open).values())
    except Denied:  # a key that may only keep the autoscaler's own readings must not keep the group from stopping
        return 0


def _unfinished(listing: Iterable[Listed]) -> list[Listed]:
    """Return the records beside which there is no result."""
    found = [(keys.job_of(each.key), each) for each in listing]
    finished = {job for job, each in found if job and each.key == keys.result(job)}
    return [each for job, each in found if job and job not in finished]


def _is_open(body: bytes) -> bool:
    try:
        return not Record.from_bytes(body).state.final
    except DamagedFile:
        return False
