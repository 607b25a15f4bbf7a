"""What is tried on the bucket: the kit's own conditional writes, and calls that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from lrtkit.queues.trials.findings import Finding, Try, Verdict
from lrtkit.queues.trials.patient import Patient
from lrtkit.queues.policies import OBJECT_CALLS, Resource, Role
from lrtkit.wire import keys
from lrtkit.wire.errors import Conflict, Denied, LrtError
from lrtkit.wire.s3 import S3Store

_NO_ETAG = '"00000000000000000000000000000000"'


def findings(patient: Patient) -> Iterator[Finding]:
    """Write and read back the one object that is kept for this, then try each kind of key with each call."""
    subject = f"{Resource.BUCKET} {patient.cloud.bucket.name}"
    own = keys.readings("doctor", "doctor") if patient.role is Role.AUTOSCALER else keys.record(keys.DOCTOR)
    yield _conditional_writes(S3Store(patient.cloud.bucket), own, subject)
    for call, key, make in _calls(patient, own):
        must_work = patient.on_r2 or _may(patient.role, call, key)
        yield Try(call, f"{subject}, {key}", make, must_work).finding(enforced=patient.enforced)
    yield _listing(patient, subject).finding(enforced=patient.enforced)
    for call, make in _beyond(patient).items():
        yield Try(call, subject, make, must_work=False).finding(enforced=patient.enforced)


def _conditional_writes(store: S3Store, key: str, subject: str) -> Finding:
    """Do to one object what is done to every job record: a write in its place, and one that comes too late."""
    check = "conditional writes, and no checksum in the way"
    try:
        found = store.get(key) if store.changed(key, "") else None
        body = b"{}" if found and found.body != b"{}" else b"{ }"
        store.swap(key, body, found.etag if found else None)
        try:
            store.swap(key, b"too late", _NO_ETAG)
        except Conflict:
            read = store.get(key)
            return Finding(check, subject, *_verdict(read is not None and read.body == body, "it reads back another"))
    except (Denied, LrtError) as error:
        return Finding(check, subject, Verdict.WRONG, str(error))
    return Finding(check, subject, *_verdict(False, "it writes over what has changed, so that nothing fences a zombie"))


def _verdict(well: bool, what: str) -> tuple[Verdict, str]:
    return (Verdict.WORKS, "") if well else (Verdict.WRONG, f"{what}. Try: a bucket on R2 or S3")


def _calls(patient: Patient, own: str) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Return a harmless form of each call: a read, a write that cannot be in place, a delete of nothing."""
    s3, bucket = patient.buckets, patient.cloud.bucket.name
    other, file = f"{keys.DOCTOR}/other", keys.file(keys.DOCTOR, "none")
    yield "s3:GetObject", own, lambda: s3.get_object(Bucket=bucket, Key=own)
    for key in dict.fromkeys((own, keys.submission(keys.DOCTOR, "none"), keys.result(keys.DOCTOR), other)):
        yield "s3:PutObject", key, _late_write(patient, key)
    yield "s3:DeleteObject", file, lambda: s3.delete_object(Bucket=bucket, Key=file)


def _late_write(patient: Patient, key: str) -> Callable[[], object]:
    bucket = patient.cloud.bucket.name
    return lambda: patient.buckets.put_object(Bucket=bucket, Key=key, Body=b"", IfMatch=_NO_ETAG)


def _listing(patient: Patient, subject: str) -> Try:
    prefix = keys.readings_of("doctor") if patient.role is Role.AUTOSCALER else f"{keys.DOCTOR}/"
    bucket = patient.cloud.bucket.name
    make = lambda: patient.buckets.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)  # noqa: E731
    return Try("s3:ListBucket", f"{subject}, {prefix}", make, must_work=True)


def _beyond(patient: Patient) -> Mapping[str, Callable[[], object]]:
    s3, bucket = patient.buckets, patient.cloud.bucket.name
    return {
        "s3:GetLifecycleConfiguration": lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket),
        "s3:ListAllMyBuckets": s3.list_buckets,
    }


def _may(role: Role, call: str, key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in OBJECT_CALLS[role].get(call, ()))
