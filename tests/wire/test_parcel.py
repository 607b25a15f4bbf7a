"""Jobs as their messages carry them, whole or by a claim check."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import pytest

from lrtkit.wire import parcel
from lrtkit.wire.errors import DamagedFile, PoisonMessage, Unavailable
from lrtkit.wire.job import Job, fingerprint
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.s3 import Item, Store

JOB = Job({"job_id": "exp/a", "steps": 5, "text": "ü"})


class Away:
    """A bucket that does not answer."""

    def get(self, key: str) -> Any:
        """Fail."""
        raise Unavailable(f"cannot read {key}")


AWAY = cast("Store", Away())


def test_a_whole_job_needs_no_bucket() -> None:
    """What is in the message is not looked for anywhere else."""
    sent = parcel.whole(JOB).outgoing()
    got = parcel.received(sent.body, sent.attributes)
    assert got == Parcel("exp/a", fingerprint(JOB.fields), JOB.body)
    assert parcel.unpacked(AWAY, got) == JOB


def test_a_claim_check_is_passed_on_as_it_came() -> None:
    """Whoever sends it again need not have the body, and another mark makes another message of the same job."""
    first = parcel.claim_check("exp/a", "f" * 64, "0" * 64).outgoing()
    again = parcel.received(first.body, {**first.attributes, "reason": "failed"}).outgoing("retry", 1)
    assert (again.body, again.attributes, again.group) == (first.body, first.attributes, "exp/a")
    assert again.once != first.once
    assert first.body == '{"job_id":"exp/a"}'


def test_a_bucket_that_is_away_is_no_missing_body() -> None:
    """It is asked again later."""
    with pytest.raises(Unavailable):
        parcel.unpacked(AWAY, parcel.claim_check("exp/a", "f" * 64, "0" * 64))


@pytest.mark.parametrize("sha256", ["", "0" * 63, "../../exp/b/result.txt", "x" * 2000, "A" * 64])
def test_what_is_no_hash_is_no_key(sha256: str) -> None:
    """The bucket is not asked for whatever a message says."""
    body = '{"job_id": "exp/a"}'
    with pytest.raises(PoisonMessage, match=r"the message's attribute body_sha256 is .*, which is no SHA-256"):
        parcel.received(body, {"body_sha256": sha256, "fingerprint": "f" * 64})
    with pytest.raises(PoisonMessage, match=r"the message's attribute fingerprint is .*, which is no SHA-256"):
        parcel.received(body, {"body_sha256": "0" * 64, "fingerprint": sha256})


class Spoiling:
    """A bucket with one body, which the first few reads get damaged."""

    def __init__(self, body: bytes, spoiled: int) -> None:
        self.body = body
        self.spoiled = spoiled

    def get(self, _: str) -> Item:
        """Return the body, or what is left of it."""
        self.spoiled -= 1
        return Item(self.body[:-1] if self.spoiled >= 0 else self.body, "etag")


def test_a_body_that_is_damaged_on_its_way_is_read_again() -> None:
    """One read that differs says nothing about what lies in the bucket; two do."""
    body = JOB.body.encode()
    check = parcel.claim_check(JOB.job_id, JOB.fingerprint, hashlib.sha256(body).hexdigest())
    assert parcel.unpacked(cast("Store", Spoiling(body, 1)), check) == JOB
    with pytest.raises(DamagedFile, match=r"is not what was submitted: its hash differs\. Try: submit its row under"):
        parcel.unpacked(cast("Store", Spoiling(body, 2)), check)


@pytest.mark.parametrize("body", ['{"job_id": "a", "x": 1e999}', "no", '{"job_id": "a", "timeout_seconds": 1e999}'])
def test_what_no_job_can_hold_is_told_when_it_is_received(body: str) -> None:
    """Nothing that comes later has to expect it."""
    with pytest.raises(PoisonMessage):
        parcel.received(body, {})
