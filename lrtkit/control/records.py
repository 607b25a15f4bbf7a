"""Changes to many records: by compare-and-swap each, in parallel."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import pandas as pd

from lrtkit.progress import View
from lrtkit.wire import ledger, parallel
from lrtkit.wire.errors import Conflict, Throttled
from lrtkit.wire.record import Record
from lrtkit.wire.s3 import Store

T = TypeVar("T")

THREADS = 16
TRIES = 4
PAUSE_S = 1.1
"""R2 takes one write a second to one key, and the job's worker may just have made it."""


def change(store: Store, job_id: str, wish: Callable[[Record | None], Record | None]) -> Record | None:
    """Write what ``wish`` makes of the record, read anew where somebody else was first, and return what is there.

    A wish of None leaves the record as it is.
    """
    tries = 0
    while True:
        entry = ledger.read(store, job_id)
        wanted = wish(entry.record)
        if wanted is None:
            return entry.record
        try:
            return ledger.swap(store, job_id, entry, wanted).record
        except Conflict:
            continue
        except Throttled:
            tries += 1
            if tries == TRIES:
                raise
            time.sleep(PAUSE_S)


def outcomes(views: Sequence[View], act: Callable[[View], tuple[str, str]]) -> pd.DataFrame:
    """Do something with each job, and return a row a job: ``outcome`` and ``state``."""
    rows = parallel.each(act, views, threads=THREADS, name="control")
    index = pd.Index([view.job_id for view in views], name="job_id", dtype="str")
    return pd.DataFrame(rows, index=index, columns=["outcome", "state"], dtype="str")
