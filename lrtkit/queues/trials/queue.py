"""What is tried on the queue pair: calls that SQS turns back for their arguments, after it has let them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lrtkit.queues.policies import DEAD_LETTER_CALLS, QUEUE_CALLS, Resource
from lrtkit.queues.trials.findings import Finding, Try, silence
from lrtkit.queues.trials.patient import Patient
from lrtkit.wire.sqs import name_of

_NO_RECEIPT = "lrtkit-doctor"


def findings(patient: Patient) -> Iterator[Finding]:
    """Try each call on each queue, then what only an administrator may do."""
    pair = patient.cloud.queue
    for resource, url, allowed in (
        (Resource.QUEUE, pair.url, QUEUE_CALLS[patient.role]),
        (Resource.DEAD_LETTERS, pair.dead_letter_url, DEAD_LETTER_CALLS[patient.role]),
    ):
        calls = _calls(patient, url)
        if silent := silence(f"{resource} {name_of(url)}", calls["sqs:GetQueueAttributes"]):
            yield silent
            return
        for call, make in calls.items():
            yield Try(call, f"{resource} {name_of(url)}", make, call in allowed).finding(enforced=patient.enforced)
    for call, make in _beyond(patient).items():
        yield Try(call, "account", make, must_work=False).finding(enforced=patient.enforced)


def _calls(patient: Patient, url: str) -> dict[str, Callable[[], object]]:
    """Return a harmless form of each call: without a group, for no message, or with a receipt of none."""
    sqs = patient.queues
    receipt = {"QueueUrl": url, "ReceiptHandle": _NO_RECEIPT}
    return {
        "sqs:GetQueueAttributes": lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]),
        "sqs:SendMessage": lambda: sqs.send_message(QueueUrl=url, MessageBody="lrtkit-doctor"),
        "sqs:ReceiveMessage": lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=0, VisibilityTimeout=0),
        "sqs:DeleteMessage": lambda: sqs.delete_message(**receipt),
        "sqs:ChangeMessageVisibility": lambda: sqs.change_message_visibility(**receipt, VisibilityTimeout=0),
        "sqs:SetQueueAttributes": lambda: sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": "-1"}
        ),
    }


def _beyond(patient: Patient) -> dict[str, Callable[[], object]]:
    return {
        "sqs:ListQueues": lambda: patient.queues.list_queues(MaxResults=1),
        "iam:ListUsers": lambda: patient.users.list_users(MaxItems=1),
    }
