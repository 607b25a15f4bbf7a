"""Dead letters: a message set aside with its reason."""

from __future__ import annotations

from dataclasses import replace

from lrtkit.wire.clock import Clock, iso
from lrtkit.wire.errors import BadInput
from lrtkit.wire.record import Failure
from lrtkit.wire.sqs import Message, Outgoing, Queue, once
from worker.patience import patiently
from worker.report import Report

LONGEST_REASON = 1_000
RENEW_AFTER_S = 12 * 86_400
"""Messages expire 14 days after they were sent, in flight or not."""


async def set_aside(queue: Queue, clock: Clock, report: Report, *, message: Message, failure: Failure) -> None:
    """Send a message to the dead-letter queue with all that it was and its reason; sending it twice is one letter."""
    reason = "".join(each if each.isprintable() else " " for each in failure.message)[:LONGEST_REASON]
    why = {"reason": reason, "error_type": failure.type[:100], "failed_at": iso(clock.now())}
    bare = Outgoing(message.body, message.group or "poison", once(message.message_id, "dead"), message.attributes)
    letter = replace(bare, attributes={**message.attributes, **why})
    try:
        await patiently(clock, report, queue.send_dead, letter)
    except BadInput:  # the message was full to its last byte or attribute, and the record has the reason
        await patiently(clock, report, queue.send_dead, bare)
    report("dead-letter", reason=reason)


async def renew(queue: Queue, clock: Clock, report: Report, *, message: Message) -> bool:
    """Put a copy in the place of a message that would expire before its job ends; tell whether it was due."""
    if not message.sent_at or clock.now() - message.sent_at < RENEW_AFTER_S:
        return False
    copy = Outgoing(message.body, message.group, once(message.message_id, "renewed"), message.attributes)
    await patiently(clock, report, queue.send, copy)
    await patiently(clock, report, queue.delete, message.receipt)
    report("renewed", sent_at=iso(message.sent_at))
    return True
