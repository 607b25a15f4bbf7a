"""The claim on a job record, on a real bucket and in virtual time."""

from __future__ import annotations

import io
from functools import partial

import pytest

from lrtkit.connection import Cloud
from lrtkit.wire import ledger
from lrtkit.wire.errors import Conflict, Fenced, LeaseLost, Unavailable
from lrtkit.wire.job import Job
from lrtkit.wire.record import Cause, Holder, Record, Saved, State
from lrtkit.wire.s3 import S3Store
from tests.simulation.clock import Meter, VirtualClock
from tests.simulation.loop import run
from tests.worker.lab import NOW
from worker.claim import Claim
from worker.report import Report

HOLDER = Holder("worker", "machine")


class Deaf(S3Store):
    """A bucket that takes a write, and whose answer to the next one is lost."""

    loses = False

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write over the object of this ETag."""
        answer = super().swap(key, body, etag)
        if self.loses:
            self.loses = False
            raise Unavailable("the answer was lost")
        return answer


class Holds:
    """A lease that can be over."""

    over = False

    def check(self) -> None:
        """Raise where it is."""
        if self.over:
            raise LeaseLost("the lease may have run out")


@pytest.fixture
def store(cloud: Cloud) -> Deaf:
    """A bucket of the test's own."""
    return Deaf(cloud.settings.bucket)


def claim_on(store: S3Store, lease: Holds | None = None) -> Claim:
    """Return a claim on the job's record as it is now."""
    clock = VirtualClock(Meter())
    report = Report(clock, HOLDER, io.StringIO())
    found = ledger.read(store, "job")
    return Claim(store, clock, (lease or Holds()).check, report=report, job=Job({"job_id": "job"}), found=found)


def saved(step: int, record: Record) -> Record:
    """Return the record with a checkpoint of this step."""
    return record.saved(Saved({"step": step}), now=NOW)


def test_of_two_claims_one_is_refused(store: Deaf) -> None:
    """Both had found the same record; the second to write it learns that it is no longer there."""

    async def story() -> None:
        first, second = claim_on(store), claim_on(store)
        await first.make(HOLDER)
        with pytest.raises(Conflict):
            await second.make(Holder("other worker", "machine"))

    run(story())
    record = ledger.read(store, "job").record
    assert record
    assert (record.generation, record.counts.attempts) == (1, 1)


def test_an_older_generation_writes_nothing(store: Deaf) -> None:
    """Once a newer claim is made, every write of the older one is fenced, and a look at the record tells it too."""

    async def story() -> None:
        old = claim_on(store)
        await old.make(HOLDER)
        new = claim_on(store)
        await new.make(HOLDER)
        with pytest.raises(Fenced):
            await old.write(partial(saved, 9))
        with pytest.raises(Fenced):
            await old.refresh()
        await new.write(partial(saved, 1))

    run(story())
    record = ledger.read(store, "job").record
    assert record
    assert record.checkpoint
    assert (record.generation, record.checkpoint.step) == (2, 1)


def test_nothing_is_written_once_the_lease_may_be_over(store: Deaf) -> None:
    """Neither a claim nor any later write, even where nobody else has the job yet."""
    lease = Holds()

    async def story() -> None:
        claim = claim_on(store, lease)
        await claim.make(HOLDER)
        lease.over = True
        with pytest.raises(LeaseLost):
            await claim.write(partial(saved, 1))
        with pytest.raises(LeaseLost):
            await claim_on(store, lease).make(HOLDER)

    run(story())
    record = ledger.read(store, "job").record
    assert record
    assert (record.generation, record.checkpoint) == (1, None)


def test_a_write_whose_answer_was_lost_is_made_once(store: Deaf) -> None:
    """It is found in the bucket and counted once."""

    async def story() -> None:
        claim = claim_on(store)
        await claim.make(HOLDER)
        store.loses = True
        await claim.write(partial(saved, 1))
        store.loses = True
        await claim.write(lambda record: record.interrupted(Cause.STOPPED, now=NOW))

    run(story())
    record = ledger.read(store, "job").record
    assert record
    assert (record.attempts[0].saves, record.interruptions) == (1, {"sigterm": 1})


def test_a_wish_to_cancel_is_kept_by_the_next_write(store: Deaf) -> None:
    """Somebody else's change is read again, noticed, and not written over."""

    async def story() -> None:
        claim = claim_on(store)
        await claim.make(HOLDER)
        entry = ledger.read(store, "job")
        assert entry.record
        ledger.swap(store, "job", entry, entry.record.cancel_requested(now=NOW))
        record = await claim.write(partial(saved, 1))
        assert record.cancel_requested_at == NOW
        assert claim.cancelled.is_set()

    run(story())


def test_a_final_state_is_not_written_over(store: Deaf) -> None:
    """Of a cancel and a finish that race, the first to be written stays."""

    async def story() -> None:
        claim = claim_on(store)
        await claim.make(HOLDER)
        entry = ledger.read(store, "job")
        assert entry.record
        ledger.swap(store, "job", entry, entry.record.cancelled(now=NOW))
        with pytest.raises(Fenced):
            await claim.write(lambda record: record.done(1, {}, now=NOW))

    run(story())
    record = ledger.read(store, "job").record
    assert record
    assert record.state is State.CANCELLED


def test_writes_are_a_second_apart(store: Deaf) -> None:
    """One write a second to one key is what R2 takes; the first after a claim waits too."""

    async def story() -> None:
        claim = claim_on(store)
        await claim.make(HOLDER)
        began = VirtualClock(Meter()).monotonic()
        for step in (1, 2, 3):
            await claim.write(partial(saved, step))
        assert VirtualClock(Meter()).monotonic() - began == pytest.approx(3)

    run(story())
