"""Faults about the bucket: records, checkpoints, files and bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrtkit.progress import reader
from lrtkit.wire import keys, ledger, parcel
from lrtkit.wire.clock import Clock
from lrtkit.wire.errors import DamagedFile, LrtError, PoisonMessage, Unavailable
from lrtkit.wire.job import Job
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.record import Record, StoredFile
from lrtkit.wire.s3 import S3Store, Store
from tests.simulation.mutations.mutation import (
    Patch,
    all_large,
    all_long,
    mutation,
    with_outage,
    with_rot,
    with_trouble,
)
from worker import checkpoint, files, patience
from worker.checkpoint import Loaded, Saver
from worker.conclusion import Conclusion
from worker.report import Report
from worker.running import Finished, Fresh
from worker.service import Service
from worker.verdict import Verdict


@mutation("a record is written whatever is there: no fence", since=1)
def _(patch: Patch) -> None:
    def swap(self: S3Store, key: str, body: bytes, etag: str | None) -> str:
        self.put(key, body)
        item = self.get(key)
        assert item
        return item.etag

    patch.setattr(S3Store, "swap", swap)
    patch.setattr(S3Store, "changed", lambda *_: False)


@mutation("a claim does not count the generation up")
def _(patch: Patch) -> None:
    claimed = Record.claimed

    def same_generation(self: Record, *args: Any, **kwargs: Any) -> Record:
        record = claimed(self, *args, **kwargs)
        attempt = replace(record.attempts[-1], generation=max(1, self.generation))
        return replace(record, generation=max(1, self.generation), attempts=(*record.attempts[:-1], attempt))

    patch.setattr(Record, "claimed", same_generation)


@mutation("a checkpoint that cannot be read is taken for none", since=28)
def _(patch: Patch) -> None:
    async def load(store: Store, clock: Clock, report: Report, *, job_id: str, record: Record, folder: Path) -> Loaded:
        if not record.checkpoint:
            return Loaded()
        try:
            await clock.run(files.download_all, store, job_id, record.checkpoint, folder)
        except LrtError:
            return Loaded()
        return Loaded(record.checkpoint)

    patch.setattr(checkpoint, "load", load)


@mutation("another job's checkpoint is resumed under the same id", since=8)
def _(patch: Patch) -> None:
    async def has_ended(self: Service, job: Any, found: Any) -> bool:
        return bool(found.record and found.record.state.final)

    patch.setattr(Service, "_has_ended", has_ended)


@mutation("a service that does not answer is asked again at once", scenario=with_outage)
def _(patch: Patch) -> None:
    patch.setattr(patience, "backoff_s", lambda *_: 0.01)


@mutation("the result is published before the record says done", life="plain")
def _(patch: Patch) -> None:
    commit = Conclusion._commit

    async def publish_first(self: Conclusion, finished: Finished) -> Verdict:
        store, job_id = self.organs.store, self.claim.job.job_id
        await self.organs.clock.run(store.put, keys.result(job_id), str(finished.value).encode())
        return await commit(self, finished)

    patch.setattr(Conclusion, "_commit", publish_first)


@mutation("a file is taken as it comes, whatever its hash", scenario=with_rot)
def _(patch: Patch) -> None:
    def download(store: Store, job_id: str, file: StoredFile, path: Path) -> None:
        store.download(keys.file(job_id, file.sha256), path)

    patch.setattr(files, "_download", download)


@mutation("a checkpoint is committed although its files were not uploaded", scenario=with_trouble, since=3)
def _(patch: Patch) -> None:
    def upload_all(store: Store, job_id: str, found: Any, known: Any) -> dict[str, StoredFile]:
        try:
            return real(store, job_id, found, known)
        except Unavailable:
            return {name: files.describe(path) for name, path in found.items()}

    real = files.upload_all
    patch.setattr(files, "upload_all", upload_all)


@mutation("a record that seems damaged is believed at the first look", since=21)
def _(patch: Patch) -> None:
    patch.setattr(ledger, "read", ledger._read)


@mutation("old files are deleted before the record that names them lets go", life="handed over")
def _(patch: Patch) -> None:
    async def collect_first(self: Saver, change: Callable[[Record], Record], fresh: Fresh) -> Record:
        before = files.referenced(self._claim.record)
        await self._collect(before - files.referenced(change(self._claim.record)))
        written = await self._claim.write(change)
        await self._running.discard(fresh)
        return written

    patch.setattr(Saver, "_write", collect_first)


@mutation("a body is taken as it comes, whatever its hash", scenario=all_large)
def _(patch: Patch) -> None:
    def fetched(store: Store, job_id: str, sha256: str) -> bytes:
        item = store.get(keys.body(job_id, sha256))
        assert item
        return item.body

    patch.setattr(parcel, "_fetched", fetched)


@mutation("a body that seems damaged is believed at the first look", scenario=all_large)
def _(patch: Patch) -> None:
    def fetched(store: Store, job_id: str, sha256: str) -> bytes:
        item = store.get(keys.body(job_id, sha256))
        if item is None or hashlib.sha256(item.body).hexdigest() != sha256:
            raise DamagedFile("it is not what was submitted")
        return item.body

    patch.setattr(parcel, "_fetched", fetched)


@mutation("a result is published as it comes from the bucket, whatever its hash", scenario=all_long, since=3)
def _(patch: Patch) -> None:
    def fetched(store: Store, job_id: str, sha256: str) -> bytes:
        item = store.get(keys.file(job_id, sha256))
        assert item
        return item.body

    patch.setattr(files, "_fetched", fetched)


@mutation("a list that seems damaged is told of at the first look", scenario=with_trouble, since=5)
def _(patch: Patch) -> None:
    patch.setattr(reader, "_is_reason", lambda _: False)


@mutation("a job whose body is lost has no record of it", scenario=lambda scenario: with_rot(all_large(scenario)))
def _(patch: Patch) -> None:
    def unpacked(store: Store, its: Parcel) -> Job:
        try:
            return real(store, its)
        except DamagedFile as error:
            raise PoisonMessage(str(error)) from error

    real = parcel.unpacked
    patch.setattr(parcel, "unpacked", unpacked)
