"""The queue pair: what its attributes are to be, and each queue as a part of a set-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lrtkit.queues.administering import administered
from lrtkit.queues.guests import with_guests, without_guests
from lrtkit.queues.parts import Facts, tag_facts, tags_of
from lrtkit.queues.patience import Pause, code, message, patiently, told
from lrtkit.wire.errors import BadInput, NotFound

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

HIGH_THROUGHPUT = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
"""What takes their place where more than 300 calls of a kind are to be made in a second.

It costs the promise that one job is queued once whatever group it is sent in, which nobody here needs:
a job's group is its id."""

MAX_RECEIVES = "1000"
"""The most that SQS takes. Every interruption and hand-over counts as a receive, so that the guide's 3
would set healthy jobs aside: one in three of 24 hours, and every one of 48. The worker itself counts
failures, and sets aside with a reason."""

_POLICY = "Policy"


def redrive(dead_letter_arn: str) -> Facts:
    """Return where a queue's messages go in the end; as the worker counts failures itself, hardly any does."""
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVES})}


def redrivable(queue_arn: str) -> Facts:
    """Return whose messages a dead-letter queue takes: those of its own queue alone."""
    return {"RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue_arn]})}


@dataclass(frozen=True)
class QueuePart:
    """A queue, or some of its attributes; ``url`` is where it has to be, where that is known."""

    client: Any = field(repr=False)
    kind: str
    name: str
    attributes: Facts
    tags: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    pause: Pause = told

    def wanted(self) -> Facts:
        """Return the attributes and tags that it is to have."""
        return {**self.attributes, **tag_facts(self.tags)}

    def found(self) -> Facts | None:
        """Return its attributes and tags; None where there is no such queue."""
        url = self.found_url()
        if url is None:
            return None
        with administered(f"cannot read the attributes of {url}"):
            attributes = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            tags = self.client.list_queue_tags(QueueUrl=url).get("Tags", {}) if self.tags else {}
        if policy := attributes.get(_POLICY):
            attributes[_POLICY] = without_guests(policy, attributes["QueueArn"])
        return {**attributes, **tag_facts(tags)}

    def create(self) -> None:
        """Create it; a name that was deleted just now is waited for."""
        with administered(f"cannot create the {self.kind} {self.name}"):
            made = patiently(self._create, f"{self.name} was deleted a moment ago", _is_fresh, self.pause)
        self._check_place(made["QueueUrl"])

    def change(self, facts: Facts) -> None:
        """Set attributes and tags; a policy that names a user of just now is tried until the user is known."""
        url, tags = self.found_url(), tags_of(facts)
        attributes = {name: value for name, value in facts.items() if name in self.attributes}
        with administered(f"cannot change the attributes of {url}"):
            if _POLICY in attributes:
                attributes[_POLICY] = self._with_guests(url, attributes[_POLICY])
            if attributes:
                self._set(url, attributes)
            if tags:
                self.client.tag_queue(QueueUrl=url, Tags=tags)

    def remove(self) -> bool:
        """Delete it with all that is in it; tell whether it was there."""
        url = self.found_url()
        try:
            with administered(f"cannot delete {url}"):
                if url:
                    self.client.delete_queue(QueueUrl=url)
        except NotFound:  # SQS goes on finding a deleted queue for a while
            return False
        return url is not None

    def found_url(self) -> str | None:
        """Return where it is; None where there is no such queue."""
        try:
            with administered(f"cannot look for the {self.kind} {self.name}"):
                url = str(self.client.get_queue_url(QueueName=self.name)["QueueUrl"])
        except NotFound:
            return None
        self._check_place(url)
        return url

    def messages(self) -> int:
        """Return about how many messages it holds; 0 where there is no such queue."""
        found = self.found() or {}
        return sum(int(value) for name, value in found.items() if name.startswith("ApproximateNumberOfMessages"))

    def _create(self) -> Any:
        tags = {"tags": dict(self.tags)} if self.tags else {}
        policy = {name: value for name, value in self.attributes.items() if name == _POLICY}
        others = {name: value for name, value in self.attributes.items() if name != _POLICY}
        made = self.client.create_queue(QueueName=self.name, Attributes=others, **tags)
        if policy:
            self._set(made["QueueUrl"], policy)
        return made

    def _with_guests(self, url: str | None, policy: str) -> str:
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=[_POLICY, "QueueArn"])["Attributes"]
        return with_guests(policy, found[_POLICY], found["QueueArn"]) if found.get(_POLICY) else policy

    def _set(self, url: str | None, attributes: Facts) -> None:
        patiently(
            lambda: self.client.set_queue_attributes(QueueUrl=url, Attributes=dict(attributes)),
            "AWS does not know the new users everywhere yet",
            _is_stranger,
            self.pause,
        )

    def _check_place(self, found: str) -> None:
        if self.url and found.split("/")[-2:] != self.url.split("/")[-2:]:
            raise BadInput(
                f"the {self.kind} {self.name} is at {found}, and the settings say {self.url}. "
                "Try: that URL in the env file"
            )


def _is_fresh(error: ClientError) -> bool:
    return code(error) == "QueueDeletedRecently"


def _is_stranger(error: ClientError) -> bool:
    return code(error) in {"InvalidAttributeValue", "InvalidParameterValue"} and "Policy" in message(error)
