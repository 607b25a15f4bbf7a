"""What SQS promises about dead letters."""

from __future__ import annotations

import json

from lrtkit.wire.errors import BadInput
from tests.conformance.desks import Queues
from tests.conformance.rules import refused, rule

DAY_S = 86_400


@rule("sqs")
def a_dead_letter_moves_at_the_next_receive(desk: Queues) -> None:
    """maxReceiveCount: when ReceiveCount exceeds it, SQS moves the message to the dead-letter queue."""
    queue, dead = desk.pair(receives=2)
    queue.send()
    for _ in range(2):
        queue.hold(queue.one(), 0)
        assert not dead.take()
    assert not queue.take()
    assert dead.one()["Body"] == "x"


@rule("sqs")
def a_dead_letter_lets_its_group_go_on(desk: Queues) -> None:
    """Dead-letter queues: the next message of the group is returned in place of the one that was moved."""
    queue, _ = desk.pair(receives=1)
    for body in "12":
        queue.send(body)
    queue.hold(queue.one(), 0)
    assert queue.one()["Body"] == "2"


@rule("sqs")
def a_dead_letter_keeps_its_ids(desk: Queues) -> None:
    """Dead-letter queues: group, deduplication id and attributes go with the message, and where it was is told."""
    queue, dead = desk.pair(receives=1)
    attributes = {"by": {"DataType": "String", "StringValue": "hand"}}
    queue.send(group="g", once="o", MessageAttributes=attributes)
    queue.hold(queue.one(), 0)
    queue.take()
    found = dead.one()
    assert (found["Attributes"]["MessageGroupId"], found["Attributes"]["MessageDeduplicationId"]) == ("g", "o")
    assert found["MessageAttributes"] == attributes
    assert found["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn


@rule("sqs", takes_s=6 * DAY_S)
def a_dead_letter_ages_anew(desk: Queues) -> None:
    """Dead-letter queues: for FIFO the enqueue timestamp resets when the message is moved."""
    queue, dead = desk.pair(receives=1)
    queue.send()
    desk.time.wait(3 * DAY_S)
    queue.hold(queue.one(), 0)
    queue.take()
    desk.time.wait(3 * DAY_S)
    assert dead.take()


@rule("sqs", relied=True)
def dead_letters_of_fifo_are_fifo(desk: Queues) -> None:
    """Dead-letter queues: the dead-letter queue of a FIFO queue must also be a FIFO queue."""
    arn = desk.make().arn.removesuffix(".fifo")
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    with refused():
        desk.make(RedrivePolicy=policy)


@rule("sqs", relied=True)
def a_thousand_receives_are_the_most(desk: Queues) -> None:
    """maxReceiveCount: 1 to 1,000."""
    queue, dead = desk.pair(receives=1000)
    for odd in (0, 1001):
        policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": odd})
        with refused(kind=BadInput):
            queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": policy})
