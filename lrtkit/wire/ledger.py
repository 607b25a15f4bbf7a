"""The job records in the bucket: read, and changed only by compare-and-swap."""

from __future__ import annotations

from dataclasses import dataclass

from lrtkit.wire import keys
from lrtkit.wire.errors import DamagedFile
from lrtkit.wire.record import Record
from lrtkit.wire.s3 import Store


@dataclass(frozen=True)
class Entry:
    """A record as it lies in the bucket; ``etag`` is None where there is none yet."""

    record: Record | None
    etag: str | None


def read(store: Store, job_id: str) -> Entry:
    """Return a job's record; raise DamagedFile where it is not readable, Unavailable where the bucket is not.

    What seems damaged is read a second time: it may have been damaged only on its way.
    """
    try:
        return _read(store, job_id)
    except DamagedFile:
        return _read(store, job_id)


def _read(store: Store, job_id: str) -> Entry:
    item = store.get(keys.record(job_id))
    if item is None:
        return Entry(None, None)
    try:
        return Entry(Record.from_bytes(item.body), item.etag)
    except DamagedFile as error:
        raise DamagedFile(f"{keys.record(job_id)}: {error}") from error


def swap(store: Store, job_id: str, entry: Entry, record: Record) -> Entry:
    """Put a record in the place of the one that was read; raise Conflict where that is no longer there."""
    return Entry(record, store.swap(keys.record(job_id), record.to_bytes(), entry.etag))


def has_result(store: Store, job_id: str) -> bool:
    """Tell whether a result lies in the bucket, such as the guide's worker leaves without a record of ours."""
    return store.get(keys.result(job_id)) is not None
