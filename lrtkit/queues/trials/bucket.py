"""What is tried on the bucket: the kit's own conditional writes, and calls that change nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from lrtkit.queues.policies import OBJECT_CALLS, Resource, Role
from lrtkit.queues.trials.findings import Finding, Try, Verdict, closed
from lrtkit.queues.trials.patient import Patient
from lrtkit.wire import keys
from lrtkit.wire.errors import Conflict, LrtError
from lrtkit.wire.s3 import S3Store

_NO_ETAG = '"00000000000000000000000000000000"'
_R2_PAUSE_S = 1.1
"""R2 takes one write a second to one key."""


def findings(patient: Patient) -> Iterator[Finding]:
    """Write and read back the one object that is kept for this, then try each kind of key with each call."""
    subject = f"{Resource.BUCKET} {patient.cloud.bucket.name}"
    if shut := closed(subject, _late_write(patient, f"{patient.prefix}{keys.DOCTOR}/other")):
        yield shut
        return
    yield _conditional_writes(patient, subject)
    for call, key, make in _calls(patient):
        must_work = patient.on_r2 or _may(patient.role, call, key)
        yield Try(call, f"{subject}, {key}", make, must_work).finding(enforced=patient.enforced)
    yield _listing(patient, subject).finding(enforced=patient.enforced)
    for call, make in _beyond(patient).items():
        yield Try(call, subject, make, must_work=False).finding(enforced=patient.enforced)


def _own(patient: Patient) -> str:
    """Return the key of the one object, which the role may write and which no experiment takes for its own."""
    if patient.prefix:
        return f"{keys.submissions(patient.prefix.rstrip('/'))}doctor"
    return keys.readings("doctor", "doctor") if patient.role is Role.AUTOSCALER else keys.record(keys.DOCTOR)


def _conditional_writes(patient: Patient, subject: str) -> Finding:
    """Do to one object what is done to every job record: writes in their place, and one that comes too late."""
    check = "conditional writes, and no checksum in the way"
    store, key = S3Store(patient.cloud.bucket), _own(patient)
    try:
        etag = store.swap(key, b"{}", None)
        time.sleep(_R2_PAUSE_S if patient.on_r2 else 0)
        store.swap(key, b"{}", etag)
        try:
            store.swap(key, b"too late", _NO_ETAG)
        except Conflict:
            found = store.get(key)
            return Finding(check, subject, *_verdict(bool(found and found.body == b"{}"), "it reads back another"))
    except LrtError as error:
        return Finding(check, subject, Verdict.WRONG, str(error))
    return Finding(check, subject, *_verdict(False, "it writes over what has changed, so that nothing fences a zombie"))


def _verdict(well: bool, what: str) -> tuple[Verdict, str]:
    return (Verdict.WORKS, "") if well else (Verdict.WRONG, f"{what}. Try: a bucket on R2 or S3")


def _calls(patient: Patient) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Return a harmless form of each call: a read, a write that cannot be in place, a delete of nothing."""
    s3, bucket = patient.buckets, patient.cloud.bucket.name
    base, own = f"{patient.prefix}{keys.DOCTOR}", _own(patient)
    file = keys.file(base, "none")
    yield "s3:GetObject", own, lambda: s3.get_object(Bucket=bucket, Key=own)
    for key in (keys.submission(base, "none"), keys.result(base), f"{base}/other"):
        yield "s3:PutObject", key, _late_write(patient, key)
    yield "s3:DeleteObject", file, lambda: s3.delete_object(Bucket=bucket, Key=file)


def _late_write(patient: Patient, key: str) -> Callable[[], object]:
    bucket = patient.cloud.bucket.name
    return lambda: patient.buckets.put_object(Bucket=bucket, Key=key, Body=b"", IfMatch=_NO_ETAG)


def _listing(patient: Patient, subject: str) -> Try:
    base = f"{patient.prefix}{keys.DOCTOR}/"
    prefix = keys.readings_of("doctor") if patient.role is Role.AUTOSCALER else base
    bucket = patient.cloud.bucket.name
    make = lambda: patient.buckets.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)  # noqa: E731
    return Try("s3:ListBucket", f"{subject}, {prefix}", make, must_work=True)


def _beyond(patient: Patient) -> Mapping[str, Callable[[], object]]:
    s3, bucket = patient.buckets, patient.cloud.bucket.name
    beyond: dict[str, Callable[[], object]] = {
        "s3:GetLifecycleConfiguration": lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket),
        "s3:ListAllMyBuckets": s3.list_buckets,
    }
    if patient.prefix:
        beyond["s3:GetObject outside of its prefix"] = lambda: s3.get_object(Bucket=bucket, Key=keys.PROBE)
    return beyond


def _may(role: Role, call: str, key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in OBJECT_CALLS[role].get(call, ()))
