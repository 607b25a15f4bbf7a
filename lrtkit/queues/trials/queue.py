"""What is tried on the queue pair: calls that SQS turns back for their arguments, after it has let them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lrtkit.queues.policies import DEAD_LETTER_CALLS, QUEUE_CALLS, Resource
from lrtkit.queues.trials.findings import Finding, Try, closed
from lrtkit.queues.trials.patient import Patient
from lrtkit.wire.sqs import name_of

_NO_RECEIPT = "lrtkit-doctor"


def findings(patient: Patient) -> Iterator[Finding]:
    """Try each call on each queue, then what only an administrator may do; where nobody answers, nothing else."""
    for resource, url, _ in _queues(patient):
        if shut := closed(f"{resource} {name_of(url)}", _calls(patient, url)["sqs:GetQueueAttributes"]):
            yield shut
            return
    for each in tries(patient):
        yield each.finding(enforced=patient.enforced)
    for call, make in _beyond(patient).items():
        yield Try(call, "account", make, must_work=False).finding(enforced=patient.enforced)


def tries(patient: Patient) -> Iterator[Try]:
    """Return each call on each queue, and whether it must work."""
    for resource, url, allowed in _queues(patient):
        for call, make in _calls(patient, url).items():
            yield Try(call, f"{resource} {name_of(url)}", make, call in allowed)


def _queues(patient: Patient) -> tuple[tuple[Resource, str, tuple[str, ...]], ...]:
    pair = patient.cloud.queue
    return (
        (Resource.QUEUE, pair.url, QUEUE_CALLS[patient.role]),
        (Resource.DEAD_LETTERS, pair.dead_letter_url, DEAD_LETTER_CALLS[patient.role]),
    )


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
