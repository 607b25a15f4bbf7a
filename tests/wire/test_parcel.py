"""Jobs as their messages carry them, whole or by a claim check."""

from __future__ import annotations

from typing import Any, cast

import pytest

from lrtkit.wire import parcel
from lrtkit.wire.errors import PoisonMessage, Unavailable
from lrtkit.wire.job import Job, fingerprint
from lrtkit.wire.parcel import Parcel
from lrtkit.wire.s3 import Store

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
    with pytest.raises(PoisonMessage, match=r"the body of exp/a, of .* is not in the bucket"):
        parcel.unpacked(AWAY, parcel.claim_check("exp/a", "f" * 64, sha256))


@pytest.mark.parametrize("body", ['{"job_id": "a", "x": 1e999}', "no", '{"job_id": "a", "timeout_seconds": 1e999}'])
def test_what_no_job_can_hold_is_told_when_it_is_received(body: str) -> None:
    """Nothing that comes later has to expect it."""
    with pytest.raises(PoisonMessage):
        parcel.received(body, {})
