"""What SQS promises about receiving: order, groups, polls, attempts that are repeated."""

from __future__ import annotations

import math

from tests.conformance.desks import Queues
from tests.conformance.rules import refused, rule


@rule("sqs", relied=True)
def a_group_is_received_in_order(desk: Queues) -> None:
    """FIFO: messages of one group are received in the order in which they were sent."""
    queue = desk.make()
    for body in "123":
        queue.send(body)
    for body in "123":
        message = queue.one()
        assert message["Body"] == body
        queue.delete(message)


@rule("sqs", relied=True)
def a_held_message_blocks_its_group(desk: Queues) -> None:
    """ReceiveMessage: no more messages of a group are returned until it is deleted or becomes visible."""
    queue = desk.make()
    for body in "12":
        queue.send(body)
    message = queue.one()
    assert not queue.take()
    queue.delete(message)
    assert queue.bodies() == ["2"]


@rule("sqs", relied=True)
def other_groups_go_on(desk: Queues) -> None:
    """FIFO: messages that belong to different groups may be processed at the same time."""
    queue = desk.make()
    for body, group in (("1", "a"), ("2", "a"), ("3", "b")):
        queue.send(body, group=group)
    assert [queue.one()["Body"], queue.one()["Body"]] == ["1", "3"]
    assert not queue.take()


@rule("sqs")
def a_receive_takes_several_of_a_group(desk: Queues) -> None:
    """FIFO: it returns as many messages with the same group id as possible, in order."""
    queue = desk.make()
    for number in range(5):
        queue.send(str(number))
    assert queue.bodies(3) == ["0", "1", "2"]
    assert queue.bodies(3) == []


@rule("sqs")
def a_receive_prefers_one_group(desk: Queues) -> None:
    """FIFO: with several groups it first attempts to return as many messages of the same group as possible."""
    queue = desk.make()
    for group in "aba":
        queue.send(group, group=group)
    assert queue.bodies(2) == ["a", "a"]


@rule("sqs")
def what_is_given_back_waits_for_what_is_held(desk: Queues) -> None:
    """ReceiveMessage: a message that was given back is not returned either while another of its group is in flight."""
    queue = desk.make()
    for body in "12":
        queue.send(body)
    first, second = queue.take(2)
    queue.hold(first, 0)
    assert not queue.take()
    queue.hold(second, 0)
    assert queue.bodies(2) == ["1", "2"]


@rule("sqs")
def a_group_waits_for_all_that_are_held(desk: Queues) -> None:
    """ReceiveMessage: while any message of a group is in flight, no other of it is returned."""
    queue = desk.make()
    for body in "123":
        queue.send(body)
    first, _ = queue.take(2)
    queue.delete(first)
    assert not queue.take()


@rule("sqs", relied=True)
def a_message_given_back_keeps_its_place(desk: Queues) -> None:
    """FIFO: a message that becomes visible again comes before later ones of its group."""
    queue = desk.make()
    for body in "12":
        queue.send(body)
    queue.hold(queue.one(), 0)
    assert queue.bodies(2) == ["1", "2"]


@rule("sqs", relied=True)
def receives_are_counted(desk: Queues) -> None:
    """ApproximateReceiveCount: how often a message has been received and not deleted."""
    queue = desk.make()
    queue.send()
    for count in "123":
        message = queue.one()
        assert message["Attributes"]["ApproximateReceiveCount"] == count
        queue.hold(message, 0)


@rule("sqs", relied=True)
def a_message_tells_where_it_comes_from(desk: Queues) -> None:
    """ReceiveMessage: group, deduplication id, sequence number and the time of sending in milliseconds."""
    queue = desk.make()
    sent = queue.send(group="g", once="o")
    told = queue.one()["Attributes"]
    assert (told["MessageGroupId"], told["MessageDeduplicationId"]) == ("g", "o")
    assert told["SequenceNumber"] == sent["SequenceNumber"]
    assert abs(int(told["SentTimestamp"]) / 1000 - desk.time.now()) < 60


@rule("sqs")
def each_receive_has_a_handle_of_its_own(desk: Queues) -> None:
    """ReceiptHandle: associated with the action of receiving the message, not with the message."""
    queue = desk.make()
    queue.send()
    first = queue.one()
    queue.hold(first, 0)
    assert queue.one()["ReceiptHandle"] != first["ReceiptHandle"]


@rule("sqs", relied=True)
def a_repeated_attempt_gives_the_same(desk: Queues) -> None:
    """ReceiveRequestAttemptId: the same messages and receipt handles, for five minutes."""
    queue = desk.make()
    queue.send()
    first, second = (queue.one(ReceiveRequestAttemptId="attempt") for _ in "12")
    assert first["ReceiptHandle"] == second["ReceiptHandle"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "1"


@rule("sqs", relied=True)
def a_repeated_attempt_begins_the_lease_anew(desk: Queues) -> None:
    """ReceiveRequestAttemptId: a retry within the deduplication interval resets the visibility timeout."""
    queue = desk.make()
    queue.send()
    queue.one(hold_s=2, ReceiveRequestAttemptId="attempt")
    desk.time.wait(1)
    message = queue.one(hold_s=30, ReceiveRequestAttemptId="attempt")
    desk.time.wait(1.5)
    assert not queue.take()
    queue.delete(message)


@rule("sqs", relied=True)
def a_new_attempt_gets_something_else(desk: Queues) -> None:
    """ReceiveRequestAttemptId: another id is another receive."""
    queue = desk.make()
    for group in "ab":
        queue.send(group, group=group)
    assert [queue.one(ReceiveRequestAttemptId=attempt)["Body"] for attempt in "12"] == ["a", "b"]


@rule("sqs")
def an_attempt_on_a_message_that_was_given_back_is_new(desk: Queues) -> None:
    """ReceiveRequestAttemptId: only if none of the messages have been modified."""
    queue = desk.make()
    queue.send()
    first = queue.one(ReceiveRequestAttemptId="attempt")
    queue.hold(first, 0)
    again = queue.one(ReceiveRequestAttemptId="attempt")
    assert again["ReceiptHandle"] != first["ReceiptHandle"]


@rule("sqs", relied=True)
def a_poll_waits_for_a_message(desk: Queues) -> None:
    """Long polling: the call returns as soon as a message is available, before the wait time is over."""
    queue = desk.make()
    began = desk.time.now()
    desk.time.later(0.4, queue.send)
    assert queue.take(wait_s=10)
    assert desk.time.now() - began < 5


@rule("sqs", relied=True)
def a_poll_is_woken_by_what_is_given_back(desk: Queues) -> None:
    """Long polling: a message that becomes visible again is available."""
    queue = desk.make()
    queue.send()
    message = queue.one()
    began = desk.time.now()
    desk.time.later(0.4, lambda: queue.hold(message, 0))
    assert queue.take(wait_s=5)
    assert desk.time.now() - began < 4


@rule("sqs")
def a_poll_is_woken_by_a_delete(desk: Queues) -> None:
    """Long polling: a delete lets the next message of the group be received."""
    queue = desk.make()
    for body in "12":
        queue.send(body)
    message = queue.one()
    began = desk.time.now()
    desk.time.later(0.4, lambda: queue.delete(message))
    assert [each["Body"] for each in queue.take(wait_s=5)] == ["2"]
    assert desk.time.now() - began < 4


@rule("sqs")
def a_poll_ends_with_nothing(desk: Queues) -> None:
    """WaitTimeSeconds: without a message the call returns successfully with an empty list."""
    queue = desk.make()
    began = desk.time.now()
    assert not queue.take(wait_s=1)
    assert 0.9 <= desk.time.now() - began < 5


@rule("sqs")
def numbers_out_of_range_are_refused(desk: Queues) -> None:
    """ReceiveMessage: 1 to 10 messages, waits of 0 to 20 s, time-outs of 0 to 43,200 s."""
    queue = desk.make()
    for group in "abcd":
        queue.send(group=group)
    for odd in ({"most": 0}, {"most": 11}, {"wait_s": 21}, {"hold_s": 43_201}):
        with refused("InvalidParameterValue"):
            queue.take(**odd)


@rule("sqs", relied=True, takes_s=math.inf)
def too_many_in_flight_are_no_error(desk: Queues) -> None:
    """Quotas: 120,000 in flight at most; a FIFO queue then returns no messages, and no error."""
    queue = desk.make()
    for number in range(desk.most_in_flight + 1):
        queue.send(group=str(number))
    taken = [message for _ in range(desk.most_in_flight) for message in queue.take(10)]
    assert len(taken) == desk.most_in_flight
    queue.delete(taken[0])
    assert len(queue.take(10)) == 1
