"""Checkpoints: loaded before the workload starts, saved in the background while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lrtkit.wire import keys
from lrtkit.wire.clock import Clock, iso
from lrtkit.wire.errors import DamagedFile, LeaseLost, LrtError
from lrtkit.wire.record import Record, Saved
from lrtkit.wire.s3 import Store
from worker import files
from worker.claim import Claim
from worker.interval import SHORTEST_S, best_interval_s, mtbi_s
from worker.patience import patiently
from worker.report import Report
from worker.running import BrokenProtocol, Fresh, Running
from worker.stop import unless

T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """What was loaded: a checkpoint, if there is one."""

    saved: Saved | None = None

    @property
    def hashes(self) -> frozenset[str]:
        """The hashes of the files that are surely in the bucket, for they were read."""
        return files.hashes(self.saved) if self.saved else frozenset()


async def load(store: Store, clock: Clock, report: Report, *, job_id: str, record: Record, folder: Path) -> Loaded:
    """Write the newest readable checkpoint into ``folder`` and return it.

    A file that is not what was saved leads back to the checkpoint before; where that is damaged
    too DamagedFile is raised, because starting anew would throw the work away unasked.
    """
    candidates = [saved for saved in (record.checkpoint, record.previous) if saved]
    damage: DamagedFile | None = None
    for saved in candidates:
        try:
            await patiently(clock, report, files.download_all, store, job_id, saved, folder)
        except DamagedFile as error:
            report("checkpoint-damaged", reason=str(error), saved_at=saved.saved_at)
            damage = error
        else:
            return Loaded(saved)
    if damage:
        raise damage
    return Loaded()


class Saver:
    """Asks the workload for checkpoints when they are due, and saves the newest."""

    def __init__(
        self, store: Store, clock: Clock, claim: Claim, *, running: Running, report: Report, interval_s: float | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._claim = claim
        self._running = running
        self._report = report
        self._fixed_interval_s = interval_s
        self._stored: frozenset[str] = frozenset()
        self._stall_s = 0.0
        self._upload_s = 0.0
        self._started = self.saved_at = self._written_at = clock.monotonic()
        self._ending = asyncio.Event()

    def trust(self, hashes: frozenset[str]) -> None:
        """Take files of these hashes to be in the bucket, for they were read there.

        What the record names beside them may be damaged, and is uploaded again where a checkpoint has
        the same content.
        """
        self._stored |= hashes

    @property
    def interval_s(self) -> float:
        """Seconds between two saves, as set or by measured costs."""
        if self._fixed_interval_s is not None:
            return max(SHORTEST_S, self._fixed_interval_s)
        running_s = self._clock.monotonic() - self._started
        mean_s = mtbi_s(self._claim.record, running_s)
        return best_interval_s(stall_s=self._stall_s, upload_s=self._upload_s, mtbi_s=mean_s, running_s=running_s)

    async def keep(self) -> None:
        """Save one checkpoint after the other until told to end, and then see a save on its way through.

        To cancel it would leave its upload to go on in its thread, beside that of the last checkpoint.
        """
        while fresh := await unless(self._ending, self._due()):
            try:
                await self._save(fresh)
            except FileNotFoundError as error:  # a program may keep its own last few checkpoints only
                self._report("checkpoint-gone", reason=str(error))

    def end(self) -> None:
        """Let ``keep`` come to its end, because the workload has."""
        self._ending.set()

    async def finish(self, change: Callable[[Record], Record]) -> Record:
        """Write a last change to the record, together with the newest checkpoint that is not saved yet."""
        fresh = await self._usable()
        if not fresh:
            return await self._claim.write(change)
        saved = await self._uploaded(fresh)
        return await self._write(lambda record: change(self._with(record, saved)), fresh)

    async def _due(self) -> Fresh:
        due = max(self.saved_at + self.interval_s, self._written_at + SHORTEST_S)  # sooner it would only grow old
        await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
        self._running.want_checkpoint()
        return await self._running.next_checkpoint()

    async def _usable(self) -> Fresh | None:
        try:
            return await self._running.newest_checkpoint()
        except BrokenProtocol as error:
            self._report("checkpoint-broken", reason=str(error))
            return None

    async def _save(self, fresh: Fresh) -> None:
        began = self._clock.monotonic()
        saved = await self._uploaded(fresh)
        await self._write(lambda record: self._with(record, saved), fresh)
        self.saved_at = began  # what is done since then is not saved
        self._written_at = self._clock.monotonic()
        self._upload_s = self._written_at - began
        self._stall_s = max(fresh.stall_s, self._stall_s / 2)
        self._report("saved", step=saved.step, upload_s=round(self._upload_s, 2), next_s=round(self.interval_s, 1))

    async def _uploaded(self, fresh: Fresh) -> Saved:
        job_id = self._claim.job.job_id
        known = self._stored & files.referenced(self._claim.record)  # others may have been deleted since
        stored = await self._patiently(files.upload_all, self._store, job_id, fresh.files, known)
        self._stored = known.union(file.sha256 for file in stored.values())
        state_file = await self._patiently(files.upload_json, self._store, job_id, fresh.state)
        kept = {"step": fresh.state["step"]} if "step" in fresh.state else {}
        return Saved(kept if state_file else fresh.state, stored, iso(self._clock.now()), state_file)

    async def _write(self, change: Callable[[Record], Record], fresh: Fresh) -> Record:
        before = files.referenced(self._claim.record)
        written = await self._claim.write(change)
        await self._running.discard(fresh)
        await self._collect(before - files.referenced(written))
        return written

    async def _collect(self, unreferenced: frozenset[str]) -> None:
        """Delete files that neither of the last two checkpoints needs; what fails is left for the end of the job."""
        try:
            self._claim.check()
            doomed = [keys.file(self._claim.job.job_id, sha256) for sha256 in sorted(unreferenced)]
            await self._clock.run(self._store.delete, doomed)
        except LeaseLost:
            raise
        except LrtError as error:
            self._report("left-behind", files=len(unreferenced), reason=str(error))

    async def _patiently(self, call: Callable[..., T], *args: Any) -> T:
        return await patiently(self._clock, self._report, call, *args)

    def _with(self, record: Record, saved: Saved) -> Record:
        return record.saved(saved, now=iso(self._clock.now()))
