"""The queue pair and the bucket: made as the settings name them, and as the worker needs them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lrtkit.connection import Cloud
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, NotFound
from lrtkit.wire.sqs import name_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")

QUEUE = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",  # the submitter says what is the same: job and fingerprint
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "1209600",  # 14 days, the most there is
    "ReceiveMessageWaitTimeSeconds": "20",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "120",
}
"""The attributes of both queues, in SQS's own words; sizes in bytes, times in seconds."""

MAX_RECEIVES = "1000"
"""The most that SQS takes. Every interruption and hand-over counts as a receive, so that the guide's 3
would set healthy jobs aside: one in three of 24 hours, and every one of 48. The worker itself counts
failures, and sets aside with a reason."""


class Outcome(StrEnum):
    """What making a part came to."""

    CREATED = "created"
    KEPT = "kept"
    CHANGED = "changed"


@dataclass(frozen=True)
class Part:
    """A queue or bucket, and what was done about it; ``changes`` maps an attribute to its old and new value."""

    kind: str
    name: str
    outcome: Outcome
    changes: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)

    def __str__(self) -> str:
        changes = ", ".join(f"{name} {old} → {new}" for name, (old, new) in self.changes.items())
        return f"{self.outcome} {self.kind} {self.name}" + (f": {changes}" if changes else "")


@dataclass(frozen=True)
class Made:
    """What ``make`` came to, a line a part."""

    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        return "\n".join(map(str, self.parts))


def make(cloud: Cloud) -> Made:
    """Make the queue pair and the bucket that the settings name; what is there already is kept, or mended.

    Raises BadInput where a name cannot be that of a FIFO queue, or where a URL of the settings leads
    to another account than the one the queue was made in.
    """
    client, wanted = _queue_client(cloud), cloud.settings.queue
    for url in (wanted.url, wanted.dead_letter_url):
        _check_name(url)
    dead = _make_queue(client, "dead-letter queue", wanted.dead_letter_url, QUEUE)
    policy = {"deadLetterTargetArn": _arn(client, wanted.dead_letter_url), "maxReceiveCount": MAX_RECEIVES}
    queue = _make_queue(client, "queue", wanted.url, {**QUEUE, "RedrivePolicy": json.dumps(policy)})
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [_arn(client, wanted.url)]}
    allow = _mend(client, wanted.dead_letter_url, {"RedriveAllowPolicy": json.dumps(allowed)})
    return Made((queue, _with(dead, allow), _make_bucket(cloud)))


def delete(cloud: Cloud) -> None:
    """Delete the queue pair and the bucket with everything in them; what is not there does not matter."""
    client = _queue_client(cloud)
    for url in (cloud.settings.queue.url, cloud.settings.queue.dead_letter_url):
        try:
            with aws.explained(f"cannot delete {url}"):
                client.delete_queue(QueueUrl=url)
        except NotFound:
            continue
    try:
        cloud.store.delete([found.key for found in cloud.store.listed("")])
        with aws.explained(f"cannot delete bucket {cloud.store.bucket}"):
            _bucket_client(cloud).delete_bucket(Bucket=cloud.store.bucket)
    except NotFound:
        return


def _queue_client(cloud: Cloud) -> Any:
    settings = cloud.settings.queue
    return aws.client("sqs", settings.access, endpoint_url=settings.endpoint_url, region=settings.region)


def _bucket_client(cloud: Cloud) -> Any:
    """Return a client for the region that needs no location; to R2 it means the same as its own ``auto``."""
    settings = cloud.settings.bucket
    return aws.client("s3", settings.access, endpoint_url=settings.endpoint_url, region="us-east-1")


def _check_name(url: str) -> None:
    if not _NAME.fullmatch(name_of(url)):
        raise BadInput(f"{url} must end in a name of A-Z a-z 0-9 _ - and '.fifo'. Try: {url.removesuffix('/')}.fifo")


def _make_queue(client: Any, kind: str, url: str, attributes: Mapping[str, str]) -> Part:
    """Create a queue, or bring one that is there to the wanted attributes."""
    name = name_of(url)
    try:
        with aws.explained(f"cannot look for the {kind} {name}"):
            found = client.get_queue_url(QueueName=name)["QueueUrl"]
    except NotFound:
        with aws.explained(f"cannot create the {kind} {name}"):
            found = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        part = Part(kind, name, Outcome.CREATED)
    else:
        part = _with(Part(kind, name, Outcome.KEPT), _mend(client, found, attributes))
    if found.split("/")[-2:] != url.split("/")[-2:]:
        raise BadInput(f"the {kind} {name} is at {found}, and the settings say {url}. Try: that URL in the env file")
    return part


def _mend(client: Any, url: str, wanted: Mapping[str, str]) -> dict[str, tuple[str | None, str]]:
    """Set the attributes that are not as wanted, and return their old and new values."""
    with aws.explained(f"cannot read the attributes of {url}"):
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    changes = {
        name: (found.get(name), value) for name, value in wanted.items() if _value(found.get(name)) != _value(value)
    }
    if changes:
        with aws.explained(f"cannot change the attributes of {url}"):
            client.set_queue_attributes(QueueUrl=url, Attributes={name: new for name, (_, new) in changes.items()})
    return changes


def _value(attribute: str | None) -> Any:
    """Return what an attribute says; of two policies that say the same, numbers may be text in one."""
    value = json.loads(attribute) if attribute and attribute.startswith("{") else attribute
    return {name: str(part) for name, part in value.items()} if isinstance(value, dict) else value


def _with(part: Part, changes: Mapping[str, tuple[str | None, str]]) -> Part:
    """Return a queue's part with what was changed afterwards; of a created one, nothing was before."""
    if part.outcome is Outcome.CREATED or not changes:
        return part
    return Part(part.kind, part.name, Outcome.CHANGED, {**part.changes, **changes})


def _arn(client: Any, url: str) -> str:
    with aws.explained(f"cannot read the attributes of {url}"):
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _make_bucket(cloud: Cloud) -> Part:
    client, name = _bucket_client(cloud), cloud.store.bucket
    try:
        with aws.explained(f"cannot look for the bucket {name}"):
            client.head_bucket(Bucket=name)
    except NotFound:
        with aws.explained(f"cannot create the bucket {name}"):
            client.create_bucket(Bucket=name)
        return Part("bucket", name, Outcome.CREATED)
    return Part("bucket", name, Outcome.KEPT)
