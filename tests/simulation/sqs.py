"""A twin of SQS, in memory and in a time that is handed in: what boto3's client has, for FIFO queues.

It answers and refuses as the service does, and does what the servers on loopback cannot: the five
minutes of deduplication, the twelve hours of a lease, the retention, counts that lag.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation import sqs_rules as rules
from tests.simulation.clock import Blocked
from tests.simulation.fifo import LEASE_CAP_S, Fifo
from tests.simulation.letters import Letter, Place
from tests.simulation.sqs_account import Account, Answer
from tests.simulation.sqs_answers import md5, received

RECEIPT = re.compile(r"([0-9a-f-]{36}):(\d+)")
GRAIN_S = 1e-6


class SqsTwin(Account):
    """An account of SQS. ``now`` gives seconds since 1970; ``calls`` counts the requests by operation.

    A receive that waits raises Blocked and expects to be made again, with ``meter.waited_s`` telling
    how long it has waited. ``lag_s`` is the most by which counts lag, and ``answer_s`` what a call takes.
    """

    def send_message(self, *, QueueUrl: str, **entry: Any) -> Answer:
        """Put a message into a queue, unless the same was sent within five minutes."""
        queue, now = self._queue("SendMessage", QueueUrl)
        return self._send(queue, "SendMessage", entry, now)

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Answer:
        """Put up to ten messages into a queue; each is taken or refused by itself."""
        queue, now = self._queue("SendMessageBatch", QueueUrl)
        rules.check_batch("SendMessageBatch", Entries)
        rules.check_batch_size(sum(map(rules.size_of, Entries)), queue.seconds("MaximumMessageSize"))
        return _batch(Entries, lambda entry: self._send(queue, "SendMessageBatch", entry, now))

    def _send(self, queue: Fifo, operation: str, entry: Mapping[str, Any], now: float) -> Answer:
        by_content = queue.attributes["ContentBasedDeduplication"] == "true"
        rules.check_message(operation, entry, limit=queue.seconds("MaximumMessageSize"), by_content=by_content)
        body, group = entry["MessageBody"], entry["MessageGroupId"]
        once = entry.get("MessageDeduplicationId") or hashlib.sha256(body.encode()).hexdigest()
        key = (once, group if queue.attributes["DeduplicationScope"] == "messageGroup" else "")
        found = queue.known(key, now)
        if not found:
            attributes = entry.get("MessageAttributes", {})
            letter = queue.put(Letter(body, group, once, attributes, queue.new_id(), 0, now), now)
            queue.remember(key, letter)
            found = (letter.message_id, letter.sequence)
            self._tell(queue)
        return {"MD5OfMessageBody": md5(body), "MessageId": found[0], "SequenceNumber": str(found[1])}

    def receive_message(
        self,
        *,
        QueueUrl: str,
        MaxNumberOfMessages: int = 1,
        VisibilityTimeout: int | None = None,
        WaitTimeSeconds: int | None = None,
        ReceiveRequestAttemptId: str = "",
        **wanted: Sequence[str],
    ) -> Answer:
        """Take messages for a while, waiting for the first; raise Blocked while there is none."""
        queue, now = self._queue("ReceiveMessage", QueueUrl)
        hold_s = queue.seconds("VisibilityTimeout") if VisibilityTimeout is None else VisibilityTimeout
        wait_s = queue.seconds("ReceiveMessageWaitTimeSeconds") if WaitTimeSeconds is None else WaitTimeSeconds
        _check_receive(MaxNumberOfMessages, hold_s, wait_s, ReceiveRequestAttemptId)
        taken = self._again(queue, ReceiveRequestAttemptId, hold_s, now) if ReceiveRequestAttemptId else None
        if taken is None:
            taken = self._take(queue, MaxNumberOfMessages, hold_s, now)
        if not taken and (left_s := wait_s - self._meter.waited_s) > GRAIN_S:
            raise self._blocked(queue, min(left_s, queue.next_change() - now))
        if taken and ReceiveRequestAttemptId:
            queue.keep_attempt(ReceiveRequestAttemptId, taken, now)
        return {"Messages": [received(letter, wanted) for letter in taken]} if taken else {}

    def _take(self, queue: Fifo, most: int, hold_s: float, now: float) -> list[Letter]:
        dead = self._dead(queue)
        buried = len(dead.letters) if dead else 0
        taken = queue.take(most, hold_s, now, dead)
        if dead and len(dead.letters) > buried:
            self._tell(dead)
        return taken

    def _again(self, queue: Fifo, attempt_id: str, hold_s: float, now: float) -> list[Letter] | None:
        """Return what the same attempt was given before, hidden from now on; no receive is counted."""
        letters = queue.repeated(attempt_id, now)
        for letter in letters or ():
            queue.hide(letter, hold_s, now)
        return letters

    def _blocked(self, queue: Fifo, wait_s: float) -> Blocked:
        return Blocked(self._news.setdefault(queue.name, asyncio.Event()), wait_s)

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> Answer:
        """Hide a message for so long from now; refuse what goes beyond twelve hours from its receive."""
        queue, now = self._queue("ChangeMessageVisibility", QueueUrl)
        return self._change(queue, "ChangeMessageVisibility", ReceiptHandle, VisibilityTimeout, now)

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Answer:
        """Do the same for up to ten messages, each by itself."""
        operation = "ChangeMessageVisibilityBatch"
        queue, now = self._queue(operation, QueueUrl)
        rules.check_batch(operation, Entries)
        return _batch(
            Entries,
            lambda entry: self._change(queue, operation, entry["ReceiptHandle"], entry["VisibilityTimeout"], now),
        )

    def _change(self, queue: Fifo, operation: str, receipt: str, seconds: int, now: float) -> Answer:
        rules.check_range(operation, "VisibilityTimeout", seconds, 0, LEASE_CAP_S)
        letter, is_latest = _holder(queue, operation, receipt)
        if not letter or letter.place is not Place.IN_FLIGHT:
            reason = "Message does not exist or is not available for visibility timeout change."
            raise rules.invalid(operation, receipt, "ReceiptHandle", reason)
        if not is_latest:
            raise rules.invalid(operation, receipt, "ReceiptHandle", "The receipt handle has expired.")
        if now + seconds > letter.received + LEASE_CAP_S:
            reason = f"Total VisibilityTimeout for the message is beyond the limit [{LEASE_CAP_S} seconds]"
            raise rules.invalid(operation, seconds, "VisibilityTimeout", reason)
        queue.hide(letter, seconds, now)
        self._tell(queue)
        return {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> Answer:
        """Take a message out of the queue; one that is gone already does not matter."""
        queue, now = self._queue("DeleteMessage", QueueUrl)
        return self._delete(queue, "DeleteMessage", ReceiptHandle, now)

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Answer:
        """Do the same for up to ten messages, each by itself."""
        queue, now = self._queue("DeleteMessageBatch", QueueUrl)
        rules.check_batch("DeleteMessageBatch", Entries)
        return _batch(Entries, lambda entry: self._delete(queue, "DeleteMessageBatch", entry["ReceiptHandle"], now))

    def _delete(self, queue: Fifo, operation: str, receipt: str, now: float) -> Answer:
        letter, is_latest = _holder(queue, operation, receipt)
        if letter:
            if not is_latest or letter.place is not Place.IN_FLIGHT:
                raise rules.invalid(operation, receipt, "ReceiptHandle", "The receipt handle has expired.")
            queue.drop(letter, now)
            self._tell(queue)
        return {}


def _check_receive(most: int, hold_s: int, wait_s: int, attempt_id: str) -> None:
    rules.check_range("ReceiveMessage", "MaxNumberOfMessages", most, 1, 10)
    rules.check_range("ReceiveMessage", "VisibilityTimeout", hold_s, 0, LEASE_CAP_S)
    rules.check_range("ReceiveMessage", "WaitTimeSeconds", wait_s, 0, 20)
    if attempt_id and not rules.ID.fullmatch(attempt_id):
        words = "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise rules.invalid("ReceiveMessage", attempt_id, "ReceiveRequestAttemptId", words)


def _holder(queue: Fifo, operation: str, receipt: str) -> tuple[Letter | None, bool]:
    """Return the letter of a receipt, if it is still there, and whether the receipt is its latest."""
    parts = RECEIPT.fullmatch(receipt)
    if not parts:
        words = f'The input receipt handle "{receipt}" is not a valid receipt handle.'
        raise rules.no(operation, "ReceiptHandleIsInvalid", words)
    letter = queue.letters.get(parts[1])
    return letter, bool(letter and letter.receives == int(parts[2]))


def _batch(entries: Sequence[Mapping[str, Any]], call: Callable[[Mapping[str, Any]], Answer]) -> Answer:
    """Make a call for each entry, and return what became of each."""
    done: list[Answer] = []
    failed: list[Answer] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **call(entry)})
        except ClientError as error:
            found = error.response["Error"]
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": found["Code"], "Message": found["Message"]})
    return {"Successful": done, "Failed": failed} if failed else {"Successful": done}
