"""What SQS refuses, in its own words: names, attributes, messages, batches and numbers out of range."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.refusals import refused

FIFO_NAME = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9_-]+\.fifo")
BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
ATTRIBUTE_NAME = re.compile(r"(?!\.|aws\.|amazon\.)(?!.*\.\.)(?!.*\.\Z)[A-Za-z0-9_.-]{1,256}", re.IGNORECASE)
ATTRIBUTE_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

DEFAULTS = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
RANGES = {
    "VisibilityTimeout": (0, 43_200),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
}
CHOICES = {
    "SqsManagedSseEnabled": {"true", "false"},
    "ContentBasedDeduplication": {"true", "false"},
    "DeduplicationScope": {"queue", "messageGroup"},
    "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
    "FifoQueue": {"true"},
}
TEXTS = {"Policy", "RedriveAllowPolicy"}
OLDER = "AWS.SimpleQueueService."


def no(operation: str, code: str, message: str, *, kind: str = "") -> ClientError:
    """Return the error with which SQS refuses a call."""
    return refused("sqs", operation, code, message, kind=kind)


def invalid(operation: str, value: object, parameter: str, reason: str) -> ClientError:
    """Return the error about the value of a parameter."""
    words = f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    return no(operation, "InvalidParameterValue", words)


def no_queue(operation: str) -> ClientError:
    """Return the error about a queue that does not exist."""
    return no(operation, f"{OLDER}NonExistentQueue", "The specified queue does not exist.", kind="QueueDoesNotExist")


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a FIFO queue."""
    if not FIFO_NAME.fullmatch(name):
        words = (
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length."
        )
        raise no("CreateQueue", "InvalidParameterValue", words)


def check_attributes(operation: str, attributes: Mapping[str, str], redrive: Callable[[str], bool]) -> None:
    """Refuse attributes that are unknown or out of range; ``redrive`` tells whether a target is a FIFO queue."""
    for name, value in attributes.items():
        if name == "RedrivePolicy":
            _check_redrive(operation, value, redrive)
        elif name not in RANGES and name not in CHOICES and name not in TEXTS:
            raise no(operation, "InvalidAttributeName", f"Unknown Attribute {name}.")
        elif not _is_valid(name, value):
            raise no(operation, "InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _is_valid(name: str, value: str) -> bool:
    if name in RANGES:
        return value.isdecimal() and RANGES[name][0] <= int(value) <= RANGES[name][1]
    return value in CHOICES.get(name, {value})


def _check_redrive(operation: str, value: str, redrive: Callable[[str], bool]) -> None:
    try:
        policy = json.loads(value)
        target, limit = policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])
    except (ValueError, KeyError, TypeError):
        raise invalid(operation, value, "RedrivePolicy", "Redrive policy is not a valid JSON map.") from None
    if not 1 <= limit <= 1000:
        words = f"Invalid value for maxReceiveCount: {limit}, valid values are from 1 to 1000 both inclusive."
        raise invalid(operation, value, "RedrivePolicy", words)
    if not target.endswith(".fifo"):
        raise invalid(operation, value, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.")
    if not redrive(target):
        raise invalid(operation, value, "RedrivePolicy", "Dead letter target does not exist.")


def check_range(operation: str, parameter: str, value: int, low: int, high: int) -> None:
    """Refuse a number out of its range."""
    if not low <= value <= high:
        raise invalid(operation, value, parameter, f"Must be between {low} and {high}, if provided.")


def check_batch(operation: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a batch that is empty or too long, or whose ids are odd or occur twice."""
    ids = [entry["Id"] for entry in entries]
    if not entries:
        words = f"There should be at least one {operation}RequestEntry in the request."
        raise no(operation, f"{OLDER}EmptyBatchRequest", words, kind="EmptyBatchRequest")
    if len(entries) > 10:
        words = f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        raise no(operation, f"{OLDER}TooManyEntriesInBatchRequest", words, kind="TooManyEntriesInBatchRequest")
    if not all(map(BATCH_ID.fullmatch, ids)):
        words = (
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        )
        raise no(operation, f"{OLDER}InvalidBatchEntryId", words, kind="InvalidBatchEntryId")
    if len(set(ids)) < len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise no(
            operation, f"{OLDER}BatchEntryIdsNotDistinct", f"Id {twice} repeated.", kind="BatchEntryIdsNotDistinct"
        )


def check_batch_size(size: int, limit: int) -> None:
    """Refuse a batch of too many bytes in all."""
    if size > limit:
        words = f"Batch requests cannot be longer than {limit} bytes. You have sent {size} bytes."
        raise no("SendMessageBatch", f"{OLDER}BatchRequestTooLong", words, kind="BatchRequestTooLong")


def check_message(operation: str, entry: Mapping[str, Any], *, limit: int, by_content: bool) -> None:
    """Refuse a message that is too long, has characters that XML has not, or lacks group or deduplication id."""
    body, attributes = entry["MessageBody"], entry.get("MessageAttributes", {})
    if not body:
        raise no(operation, "MissingParameter", "The request must contain the parameter MessageBody.")
    if size_of(entry) > limit:
        words = f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        raise no(operation, "InvalidParameterValue", words)
    if FORBIDDEN.search(body):
        words = (
            "Invalid characters found. Valid unicode characters are "
            "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        )
        raise no(operation, "InvalidMessageContents", words)
    if entry.get("DelaySeconds"):
        words = "The request include parameter that is not valid for this queue type."
        raise invalid(operation, entry["DelaySeconds"], "DelaySeconds", words)
    _check_ids(operation, entry, by_content=by_content)
    if len(attributes) > 10:
        words = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10]."
        raise no(operation, "InvalidParameterValue", words)
    for name, value in attributes.items():
        _check_attribute(operation, name, value)


def _check_ids(operation: str, entry: Mapping[str, Any], *, by_content: bool) -> None:
    group, once = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if not group:
        raise no(operation, "MissingParameter", "The request must contain the parameter MessageGroupId.")
    if not once and not by_content:
        words = (
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
        raise no(operation, "InvalidParameterValue", words)
    for parameter, value in (("MessageGroupId", group), ("MessageDeduplicationId", once)):
        if value and not ID.fullmatch(value):
            words = f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise invalid(operation, value, parameter, words)


def _check_attribute(operation: str, name: str, value: Mapping[str, Any]) -> None:
    if not ATTRIBUTE_NAME.fullmatch(name):
        words = (
            f"Message (user) attribute name '{name}' is invalid. Reason: it can only include A-Z, a-z, 0-9, "
            "underscores, hyphens and dots, up to 256 of them, no dot first or last or two in a row, no AWS. or Amazon."
        )
        raise no(operation, "InvalidParameterValue", words)
    if not ATTRIBUTE_TYPE.fullmatch(value["DataType"]):
        words = (
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
            "prefixes is Binary, Number, and String."
        )
        raise no(operation, "InvalidParameterValue", words)
    if not (value.get("StringValue") or value.get("BinaryValue")):
        words = f"Message (user) attribute '{name}' must contain a non-empty value of type '{value['DataType']}'."
        raise no(operation, "InvalidParameterValue", words)
    if FORBIDDEN.search(value.get("StringValue", "")):
        raise no(operation, "InvalidMessageContents", f"Message (user) attribute '{name}' has invalid characters.")


def size_of(entry: Mapping[str, Any]) -> int:
    """Return how many bytes of the limit a message takes: its body, and names, types and values of attributes."""
    attributes = entry.get("MessageAttributes", {}).items()
    return _bytes(entry["MessageBody"]) + sum(
        _bytes(name) + _bytes(value["DataType"]) + _bytes(value.get("StringValue") or value.get("BinaryValue", ""))
        for name, value in attributes
    )


def _bytes(text: str | bytes) -> int:
    return len(text if isinstance(text, bytes) or text.isascii() else text.encode("utf-8", "surrogatepass"))
