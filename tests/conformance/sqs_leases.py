"""What SQS promises about leases: visibility time-outs, receipt handles, twelve hours, retention."""

from __future__ import annotations

from lrtkit.wire.errors import LeaseCapped, LeaseLost
from tests.conformance.desks import Answer, Queue, Queues
from tests.conformance.rules import refused, rule

CAP_S = 43_200
EXPIRED = "receipt handle has expired"


def passed_on(desk: Queues) -> tuple[Queue, Answer, Answer]:
    """Return a queue, a message whose lease is over, and the same as somebody else holds it now."""
    queue = desk.make()
    queue.send()
    old = queue.one(hold_s=1)
    return queue, old, queue.one(wait_s=5)


def lapsed(desk: Queues) -> tuple[Queue, Answer]:
    """Return a queue and a message whose lease is over, and which nobody else has taken."""
    queue = desk.make()
    queue.send()
    old = queue.one(hold_s=1)
    desk.time.wait(2.5)
    return queue, old


@rule("sqs", relied=True)
def a_lease_runs_out(desk: Queues) -> None:
    """Visibility timeout: when it expires and the message is not deleted, it becomes visible to others."""
    _, old, new = passed_on(desk)
    assert old["MessageId"] == new["MessageId"]
    assert new["Attributes"]["ApproximateReceiveCount"] == "2"


@rule("sqs", relied=True)
def an_extension_counts_from_now(desk: Queues) -> None:
    """ChangeMessageVisibility: the new timeout begins from the time of the call."""
    queue = desk.make()
    queue.send()
    message = queue.one(hold_s=3)
    desk.time.wait(1.5)
    queue.hold(message, 3)
    desk.time.wait(2.1)
    assert not queue.take()
    assert queue.take(wait_s=5)


@rule("sqs", relied=True)
def none_at_all_gives_it_back_at_once(desk: Queues) -> None:
    """ChangeMessageVisibility: 0 makes the message immediately visible."""
    queue = desk.make()
    queue.send()
    queue.hold(queue.one(), 0)
    assert queue.take()


@rule("sqs", relied=True)
def a_release_can_wait(desk: Queues) -> None:
    """ChangeMessageVisibility: a shorter timeout makes the message visible earlier, and not before."""
    queue = desk.make()
    queue.send()
    queue.hold(queue.one(hold_s=600), 3)
    assert not queue.take()
    assert queue.take(wait_s=5)


@rule("sqs", relied=True)
def a_stale_handle_extends_nothing(desk: Queues) -> None:
    """ChangeMessageVisibility on FIFO: the handle of an earlier receive is refused; the kit stops at that."""
    queue, old, new = passed_on(desk)
    with refused(kind=LeaseLost):
        queue.hold(old, 0)
    assert not queue.take()
    queue.hold(new, 30)


@rule("sqs", relied=True)
def a_stale_handle_deletes_nothing(desk: Queues) -> None:
    """DeleteMessage on FIFO: the handle of an earlier receive is refused, and the other holder keeps the message."""
    queue, old, new = passed_on(desk)
    with refused(kind=LeaseLost):
        queue.delete(old)
    queue.hold(new, 0)
    assert queue.take()


@rule("sqs", relied=True)
def a_lapsed_handle_extends_nothing(desk: Queues) -> None:
    """ChangeMessageVisibility: a message that is not in flight has no timeout to change."""
    queue, old = lapsed(desk)
    with refused(kind=LeaseLost):
        queue.hold(old, 30)
    assert queue.take()


@rule("sqs", relied=True)
def a_lapsed_handle_deletes_nothing(desk: Queues) -> None:
    """FIFO: a consumer that deletes after its visibility timeout gets an error."""
    queue, old = lapsed(desk)
    with refused(kind=LeaseLost):
        queue.delete(old)
    assert queue.take()


@rule("sqs")
def a_stale_delete_says_that_the_handle_has_expired(desk: Queues) -> None:
    """DeleteMessage on FIFO: InvalidParameterValue, Reason: The receipt handle has expired."""
    queue, old, _ = passed_on(desk)
    with refused("InvalidParameterValue", saying=EXPIRED):
        queue.delete(old)


@rule("sqs")
def a_stale_extension_has_the_same_code(desk: Queues) -> None:
    """ChangeMessageVisibility on FIFO: InvalidParameterValue, too."""
    queue, old, _ = passed_on(desk)
    with refused("InvalidParameterValue"):
        queue.hold(old, 30)


@rule("sqs", relied=True)
def a_deleted_message_cannot_be_extended(desk: Queues) -> None:
    """ChangeMessageVisibility: message does not exist or is not available for visibility timeout change."""
    queue = desk.make()
    queue.send()
    message = queue.one()
    queue.delete(message)
    with refused(kind=LeaseLost):
        queue.hold(message, 30)


@rule("sqs")
def a_message_can_be_deleted_twice(desk: Queues) -> None:
    """DeleteMessage: deleting a message that is gone succeeds, so that a lost answer can be asked for again."""
    queue = desk.make()
    queue.send()
    message = queue.one()
    queue.delete(message)
    queue.delete(message)


@rule("sqs", relied=True)
def what_is_no_handle_is_refused(desk: Queues) -> None:
    """ReceiptHandleIsInvalid: the specified receipt handle isn't valid."""
    queue = desk.make()
    with refused("ReceiptHandleIsInvalid", kind=LeaseLost):
        queue.delete({"ReceiptHandle": "nothing"})


@rule("sqs")
def a_lease_has_twelve_hours_at_most(desk: Queues) -> None:
    """VisibilityTimeout: 0 to 43,200 s."""
    queue = desk.make()
    queue.send()
    message = queue.one()
    queue.hold(message, 43_000)
    with refused("InvalidParameterValue"):
        queue.hold(message, CAP_S + 1)


@rule("sqs", relied=True)
def twelve_hours_count_from_the_receive(desk: Queues) -> None:
    """ChangeMessageVisibility: 12 hours in total from the receive, an extension does not reset them; still held."""
    queue = desk.make()
    queue.send()
    message = queue.one()
    desk.time.wait(1.5)
    queue.hold(message, 30)
    with refused(saying="beyond the limit", kind=LeaseCapped):
        queue.hold(message, CAP_S)
    assert not queue.take()
    queue.hold(message, CAP_S - 60)


@rule("sqs", relied=True, takes_s=CAP_S)
def a_new_receive_has_twelve_hours_of_its_own(desk: Queues) -> None:
    """Visibility timeout: the maximum is from the time that SQS receives the ReceiveMessage request."""
    queue = desk.make()
    queue.send()
    queue.one(hold_s=CAP_S)
    desk.time.wait(CAP_S + 1)
    message = queue.one()
    desk.time.wait(10)
    queue.hold(message, CAP_S - 60)


@rule("sqs", relied=True)
def leases_change_in_batches_each_by_itself(desk: Queues) -> None:
    """ChangeMessageVisibilityBatch: the result of each is reported individually."""
    queue = desk.make()
    queue.send()
    entries = [
        {"Id": "0", "ReceiptHandle": queue.one()["ReceiptHandle"], "VisibilityTimeout": 0},
        {"Id": "1", "ReceiptHandle": "nothing", "VisibilityTimeout": 0},
    ]
    answer = queue.client.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["0"]
    assert [each["Id"] for each in answer["Failed"]] == ["1"]
    assert queue.take()


@rule("sqs")
def deletes_come_in_batches_each_by_itself(desk: Queues) -> None:
    """DeleteMessageBatch: the result of each is reported individually."""
    queue = desk.make()
    queue.send()
    handles = (queue.one()["ReceiptHandle"], "nothing")
    entries = [{"Id": str(place), "ReceiptHandle": handle} for place, handle in enumerate(handles)]
    answer = queue.client.delete_message_batch(QueueUrl=queue.url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["0"]
    assert [each["Id"] for each in answer["Failed"]] == ["1"]


@rule("sqs", relied=True, takes_s=61)
def retention_ends_a_message_that_waits(desk: Queues) -> None:
    """MessageRetentionPeriod: after it the message is deleted, counted from the send."""
    queue = desk.make(MessageRetentionPeriod=60)
    queue.send()
    desk.time.wait(59)
    queue.hold(queue.one(), 0)
    desk.time.wait(2)
    assert not queue.take()


@rule("sqs", relied=True, takes_s=61)
def retention_ends_a_message_in_flight(desk: Queues) -> None:
    """MessageRetentionPeriod: it goes on while a message is in flight, and an extension then fails."""
    queue = desk.make(MessageRetentionPeriod=60)
    queue.send()
    message = queue.one(hold_s=600)
    desk.time.wait(61)
    with refused(kind=LeaseLost):
        queue.hold(message, 600)


@rule("sqs")
def retention_is_from_a_minute_to_fourteen_days(desk: Queues) -> None:
    """MessageRetentionPeriod: from 60 (1 minute) to 1,209,600 (14 days)."""
    desk.make(MessageRetentionPeriod=1_209_600)
    for odd in (59, 1_209_601):
        with refused("InvalidAttributeValue"):
            desk.make(MessageRetentionPeriod=odd)
