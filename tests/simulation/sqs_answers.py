"""What SQS answers: a message as it is received, as much of it as was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulation.letters import Letter


def received(letter: Letter, wanted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a letter as a receive gives it."""
    answer = {
        "MessageId": letter.message_id,
        "ReceiptHandle": letter.receipt,
        "MD5OfBody": md5(letter.body),
        "Body": letter.body,
    }
    system = _system(letter, {*wanted.get("MessageSystemAttributeNames", ()), *wanted.get("AttributeNames", ())})
    names = wanted.get("MessageAttributeNames", ())
    attributes = {name: value for name, value in letter.attributes.items() if _is_wanted(name, names)}
    return (
        answer | ({"Attributes": system} if system else {}) | ({"MessageAttributes": attributes} if attributes else {})
    )


def _system(letter: Letter, names: set[str]) -> dict[str, str]:
    every = {
        "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
        "ApproximateFirstReceiveTimestamp": str(int(letter.first_received * 1000)),
        "ApproximateReceiveCount": str(letter.receives),
        "SentTimestamp": str(int(letter.sent * 1000)),
        "SequenceNumber": str(letter.sequence),
        "MessageDeduplicationId": letter.once,
        "MessageGroupId": letter.group,
        **({"DeadLetterQueueSourceArn": letter.source} if letter.source else {}),
    }
    return every if "All" in names else {name: value for name, value in every.items() if name in names}


def _is_wanted(name: str, names: Sequence[str]) -> bool:
    return any(each in {"All", ".*", name} or (each[-2:] == ".*" and name.startswith(each[:-2])) for each in names)


def md5(text: str) -> str:
    """Return the MD5 of a text."""
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
