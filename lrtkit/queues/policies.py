"""Who may make which calls: pure functions from names to IAM documents.

Users carry no policy of their own. What each may do stands on the queue, on its dead-letter queue
and, where the bucket is of S3, on the bucket; everything else is refused because nobody allows it.
R2 has no policies: there a token reads or writes one bucket, see ``lrtkit.queues.cloudflare``.

A test records the calls that the worker, the experiment and the autoscaler really make, and
compares: nothing is missing here, and nothing can be taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput

Document = dict[str, Any]
"""An IAM policy as ``json.dumps`` takes it."""

VERSION = "2012-10-17"


class Role(StrEnum):
    """Who holds keys: each has a user, and an env file of the same name."""

    SUBMITTER = "submitter"
    """Sends jobs, looks at them, cancels them, and reads results."""
    WORKER = "worker"
    """Runs jobs, on machines of strangers."""
    READER = "reader"
    """Looks at jobs and dead letters, and gives failed jobs another chance."""
    AUTOSCALER = "autoscaler"
    """Reads how long the queue is, and keeps its readings."""

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise BadInput(f"there is no role {value!r}. Try: one of {', '.join(cls)}")


class Resource(StrEnum):
    """What is to be guarded."""

    QUEUE = "queue"
    DEAD_LETTERS = "dead-letter queue"
    BUCKET = "bucket"


_RECORDS = f"*/{keys.RECORD_NAME}"
_RESULTS = f"*/{keys.RESULT_NAME}"
_FILES = keys.files("*") + "*"
_ARTIFACTS = "*/artifacts/*"
_SUBMISSIONS = keys.submissions("*") + "*"
_READINGS = keys.readings_of("*") + "*"
_DEPTHS = keys.depths_of("*") + "*"

_JOBS_READ = (_RECORDS, _RESULTS, _SUBMISSIONS, _ARTIFACTS, _READINGS, _DEPTHS, keys.PROBE)

QUEUE_CALLS: Mapping[Role, tuple[str, ...]] = {
    Role.SUBMITTER: ("sqs:GetQueueAttributes", "sqs:SendMessage"),
    Role.WORKER: ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"),
    Role.READER: ("sqs:GetQueueAttributes", "sqs:SendMessage"),
    Role.AUTOSCALER: ("sqs:GetQueueAttributes",),
}
"""The calls on the job queue. A worker sends where it renews a message that would expire before its job ends."""

DEAD_LETTER_CALLS: Mapping[Role, tuple[str, ...]] = {
    Role.SUBMITTER: ("sqs:GetQueueAttributes",),
    Role.WORKER: ("sqs:SendMessage",),
    Role.READER: (
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ),
    Role.AUTOSCALER: (),
}
"""The calls on the dead-letter queue."""

OBJECT_CALLS: Mapping[Role, Mapping[str, tuple[str, ...]]] = {
    Role.SUBMITTER: {"s3:GetObject": _JOBS_READ, "s3:PutObject": (_RECORDS, _SUBMISSIONS, _DEPTHS)},
    Role.WORKER: {
        "s3:GetObject": (_RECORDS, _RESULTS, _FILES, _SUBMISSIONS, keys.PROBE),
        "s3:PutObject": (_RECORDS, _RESULTS, _FILES, _ARTIFACTS),
        "s3:DeleteObject": (_FILES,),
        "s3:AbortMultipartUpload": (_FILES, _ARTIFACTS),
    },
    Role.READER: {"s3:GetObject": _JOBS_READ, "s3:PutObject": (_RECORDS, _DEPTHS)},
    Role.AUTOSCALER: {"s3:GetObject": (_RECORDS, _READINGS), "s3:PutObject": (_READINGS,)},
}
"""The calls on objects of an S3 bucket, each with the keys that it may name."""


@dataclass(frozen=True)
class Account:
    """An AWS account in one region, which is what ARNs are made of."""

    id: str
    region: str

    @property
    def partition(self) -> str:
        """AWS in China and for the American government is apart."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rpartition("-")[0].rpartition("-")[0], "aws")

    @property
    def domain(self) -> str:
        """Where its services are."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def queue(self, name: str) -> str:
        """Return the ARN of a queue."""
        return f"arn:{self.partition}:sqs:{self.region}:{self.id}:{name}"

    def user(self, name: str) -> str:
        """Return the ARN of a user."""
        return f"arn:{self.partition}:iam::{self.id}:user/{name}"

    def bucket(self, name: str) -> str:
        """Return the ARN of a bucket."""
        return f"arn:{self.partition}:s3:::{name}"

    def log_streams(self, group: str) -> str:
        """Return the ARN of all streams of a log group."""
        return f"arn:{self.partition}:logs:{self.region}:{self.id}:log-group:{group}:*"


def queue(arn: str, users: Mapping[Role, str]) -> Document:
    """Return the policy of the job queue; ``users`` are the roles' ARNs."""
    return _on_resource(arn, "sqs", [_grant(role, users[role], QUEUE_CALLS[role], arn) for role in users])


def dead_letter_queue(arn: str, users: Mapping[Role, str]) -> Document:
    """Return the policy of the dead-letter queue."""
    calls = {role: DEAD_LETTER_CALLS[role] for role in users if DEAD_LETTER_CALLS[role]}
    return _on_resource(arn, "sqs", [_grant(role, users[role], calls[role], arn) for role in calls])


def bucket(arn: str, users: Mapping[Role, str]) -> Document:
    """Return the policy of an S3 bucket.

    All may list all of it: without that S3 answers 403 in place of 404 for an object that is not
    there, and nobody could tell a job without a record from a key without rights. To delete, as a
    purge does, is for an administrator's key.
    """
    grants = [each for role, user in users.items() for each in _bucket_grants(role, user, arn)]
    return _on_resource(arn, "s3", grants)


def autoscaler(queue_arn: str) -> Document:
    """Return the policy for the role that a Lambda autoscaler runs as; to the bucket it has a key of its own."""
    return {"Version": VERSION, "Statement": [_allow("CountMessages", QUEUE_CALLS[Role.AUTOSCALER], queue_arn)]}


def admin(queues: Iterable[str], users: Iterable[str], bucket_arn: str | None = None) -> Document:
    """Return what whoever makes, rotates and tears down needs, and no more; arguments are ARNs."""
    statements = [
        _allow("Queues", _ADMIN_QUEUES, list(queues)),
        _allow("Users", _ADMIN_USERS, list(users)),
        *([_allow("Bucket", _ADMIN_BUCKET, bucket_arn)] if bucket_arn else []),
        *([_allow("Objects", ("s3:DeleteObject",), f"{bucket_arn}/*")] if bucket_arn else []),
    ]
    return {"Version": VERSION, "Statement": statements}


def calls(role: Role) -> Iterator[tuple[Resource, str, str]]:
    """Return what a role may do: a resource, a call, and of a bucket the keys that the call may name."""
    yield from ((Resource.QUEUE, call, "") for call in QUEUE_CALLS[role])
    yield from ((Resource.DEAD_LETTERS, call, "") for call in DEAD_LETTER_CALLS[role])
    yield from ((Resource.BUCKET, call, " ".join(patterns)) for call, patterns in OBJECT_CALLS[role].items())
    yield Resource.BUCKET, "s3:ListBucket", "*"


_ADMIN_QUEUES = (
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListQueueTags",
    "sqs:SetQueueAttributes",
    "sqs:TagQueue",
)
_ADMIN_USERS = (
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:DeleteAccessKey",
    "iam:DeleteUser",
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:TagUser",
    "iam:UpdateAccessKey",
)
_ADMIN_BUCKET = (
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:GetBucketPolicy",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
    "s3:PutBucketPolicy",
    "s3:PutLifecycleConfiguration",
)


def _on_resource(arn: str, service: str, grants: list[Document]) -> Document:
    """Return grants with a refusal of whatever does not come over TLS, which holds for administrators too."""
    plain = {
        "Sid": "RefusePlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": [arn, f"{arn}/*"] if service == "s3" else arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": VERSION, "Statement": [*grants, plain]}


def _bucket_grants(role: Role, user: str, arn: str) -> Iterator[Document]:
    for call, patterns in OBJECT_CALLS[role].items():
        yield _grant(role, user, (call,), [f"{arn}/{pattern}" for pattern in patterns])
    yield _grant(role, user, ("s3:ListBucket",), arn)


def _grant(role: Role, user: str, actions: tuple[str, ...], resource: str | list[str]) -> Document:
    name = f"{role.title()}{actions[0].partition(':')[2] if actions[0].startswith('s3:') else ''}"
    return {**_allow(name, actions, resource), "Principal": {"AWS": user}}


def _allow(name: str, actions: tuple[str, ...], resource: str | list[str]) -> Document:
    return {"Sid": name, "Effect": "Allow", "Action": _short(list(actions)), "Resource": _short(resource)}


def _short(values: str | list[str]) -> str | list[str]:
    """Return a list of one as its one, as the services give it back."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values
