"""How a job travels: whole in its message or, where it is too large for one, by a claim check.

The body of a claim check is ``{"job_id": …}`` alone. Its attributes tell the SHA-256 of the whole body,
under which the bucket keeps it, and the job's fingerprint, so that whoever only passes the message on
need not fetch the body.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lrtkit.wire import keys
from lrtkit.wire.errors import DamagedFile, PoisonMessage
from lrtkit.wire.job import Job, parse
from lrtkit.wire.s3 import Store
from lrtkit.wire.sqs import Outgoing, once

BODY = "body_sha256"
FINGERPRINT = "fingerprint"

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of a job, wherever it lies: whoever runs it has to hold it in memory, more than once."""

_ADVICE = "Try: submit its row under another job_id"
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Parcel:
    """A job as its message carries it: body and attributes, and what makes a second sending the same."""

    job_id: str
    fingerprint: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def outgoing(self, *mark: object) -> Outgoing:
        """Return the message; one of another ``mark`` is another message of the same job."""
        return Outgoing(self.body, self.job_id, once(self.job_id, self.fingerprint, *mark), self.attributes)


@dataclass(frozen=True)
class Lost(Job):
    """A job whose body cannot be read, so that of its fields little more than the id is known."""

    fingerprint: str = ""
    """What its message says that it computes."""


def whole(job: Job) -> Parcel:
    """Return a job with all of its fields in the message."""
    return Parcel(job.job_id, job.fingerprint, job.body)


def claim_check(job_id: str, fingerprint: str, sha256: str) -> Parcel:
    """Return a job whose body lies in the bucket under its hash."""
    return Parcel(job_id, fingerprint, Job({"job_id": job_id}).body, {BODY: sha256, FINGERPRINT: fingerprint})


def received(body: str, attributes: Mapping[str, str]) -> Parcel:
    """Return what a message carries; raise PoisonMessage where it is no job."""
    job = parse(body)
    if BODY in attributes:
        return claim_check(job.job_id, _hash(attributes, FINGERPRINT), _hash(attributes, BODY))
    return whole(job)


def unpacked(store: Store, parcel: Parcel) -> Job:
    """Return the job with all of its fields, fetched from the bucket where they lie there.

    Raises DamagedFile where the bucket has nothing or something else in their place, PoisonMessage
    where they are another job's, Unavailable where it does not answer.
    """
    sha256 = parcel.attributes.get(BODY)
    if sha256 is None:
        return parse(parcel.body)
    job = parse(_fetched(store, parcel.job_id, sha256).decode(errors="replace"))
    if (job.job_id, job.fingerprint) != (parcel.job_id, parcel.fingerprint):
        raise PoisonMessage(f"the body {sha256} of {parcel.job_id} is another job's")
    return job


def _fetched(store: Store, job_id: str, sha256: str) -> bytes:
    """Return a body; one that is not what was submitted is read again: it may have been damaged only on its way."""
    for _ in range(2):
        item = store.get(keys.body(job_id, sha256))
        if item is None:
            raise DamagedFile(f"the body {sha256} of {job_id} is not in the bucket. {_ADVICE}")
        if hashlib.sha256(item.body).hexdigest() == sha256:
            return item.body
    raise DamagedFile(f"the body {sha256} of {job_id} is not what was submitted: its hash differs. {_ADVICE}")


def _hash(attributes: Mapping[str, str], name: str) -> str:
    """Return an attribute that is a SHA-256: whatever else it were could lead to any key."""
    value = attributes.get(name, "")
    if not _HASH.fullmatch(value):
        raise PoisonMessage(f"the message's attribute {name} is {value[:64]!r}, which is no SHA-256")
    return value
