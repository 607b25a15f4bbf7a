"""What SQS promises about sending: what is taken, what is refused, and what counts as the same."""

from __future__ import annotations

from lrtkit.wire.errors import BadInput, NotFound
from tests.conformance.desks import Queues
from tests.conformance.rules import refused, rule

MINUTE_S = 60


@rule("sqs", relied=True)
def the_same_id_within_five_minutes_is_one_message(desk: Queues) -> None:
    """SendMessage: with the same deduplication id it is accepted successfully but not delivered for 5 minutes."""
    queue = desk.make()
    queue.send(once="1")
    queue.send(once="1", body="other")
    assert queue.bodies() == ["x"]


@rule("sqs")
def a_dropped_duplicate_is_answered_as_the_first_was(desk: Queues) -> None:
    """FIFO delivery logic: a retried send gives the original message id and sequence number."""
    queue = desk.make()
    first, second = queue.send(once="1"), queue.send(once="1")
    assert first["MessageId"] == second["MessageId"]
    assert first["SequenceNumber"] == second["SequenceNumber"]


@rule("sqs", relied=True)
def the_same_id_after_a_delete_is_dropped(desk: Queues) -> None:
    """Deduplication id: SQS keeps track of it even after the message is received and deleted."""
    queue = desk.make()
    queue.send(once="1")
    queue.delete(queue.one())
    queue.send(once="1")
    assert not queue.take()


@rule("sqs", relied=True, takes_s=301)
def the_same_id_after_five_minutes_is_a_new_message(desk: Queues) -> None:
    """Deduplication interval: 5 minutes, from the first send."""
    queue = desk.make()
    queue.send(once="1")
    desk.time.wait(4 * MINUTE_S)
    queue.send(once="1")
    desk.time.wait(MINUTE_S + 1)
    queue.send(once="1")
    assert len(queue.take(10)) == 2


@rule("sqs")
def the_same_id_in_another_group_is_the_same(desk: Queues) -> None:
    """DeduplicationScope: queue, which is the default, takes no account of groups."""
    queue = desk.make()
    queue.send(once="1", group="a")
    queue.send(once="1", group="b")
    assert len(queue.take(10)) == 1


@rule("sqs")
def deduplication_can_be_by_group(desk: Queues) -> None:
    """DeduplicationScope: messageGroup, as high throughput wants it."""
    queue = desk.make(DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    queue.send(once="1", group="a")
    queue.send(once="1", group="b")
    assert len(queue.take(10)) == 2


@rule("sqs")
def deduplication_can_be_by_content(desk: Queues) -> None:
    """ContentBasedDeduplication: SQS uses a SHA-256 hash of the body."""
    queue = desk.make(ContentBasedDeduplication="true")
    for body in ("x", "x", "y"):
        queue.client.send_message(QueueUrl=queue.url, MessageBody=body, MessageGroupId="a")
    assert queue.bodies() == ["x", "y"]


@rule("sqs")
def a_message_needs_a_deduplication_id(desk: Queues) -> None:
    """SendMessage: without an id and without ContentBasedDeduplication the action fails."""
    queue = desk.make()
    with refused("InvalidParameterValue"):
        queue.client.send_message(QueueUrl=queue.url, MessageBody="x", MessageGroupId="a")


@rule("sqs")
def a_message_needs_a_group(desk: Queues) -> None:
    """SendMessage: MessageGroupId is required for FIFO queues."""
    queue = desk.make()
    with refused("MissingParameter"):
        queue.client.send_message(QueueUrl=queue.url, MessageBody="x", MessageDeduplicationId="1")


@rule("sqs", relied=True)
def ids_can_be_long_and_have_punctuation(desk: Queues) -> None:
    """SendMessage: ids have up to 128 alphanumeric characters and punctuation."""
    queue = desk.make()
    queue.send(group="g" * 128, once="o" * 128)
    queue.send(group="exp/A-1._=(!\"#$%&')*+,:;<>?@[\\]^`{|}~")
    assert len(queue.take(10)) == 2


@rule("sqs")
def longer_ids_are_refused(desk: Queues) -> None:
    """SendMessage: the length of MessageGroupId and MessageDeduplicationId is 128 characters."""
    queue = desk.make()
    for ids in ({"group": "g" * 129}, {"once": "o" * 129}):
        with refused(kind=BadInput):
            queue.send(**ids)


@rule("sqs")
def other_characters_in_ids_are_refused(desk: Queues) -> None:
    """SendMessage: ids can contain alphanumeric characters and punctuation."""
    queue = desk.make()
    for ids in ({"group": "a b"}, {"group": "ü"}, {"once": "a\tb"}):
        with refused(kind=BadInput):
            queue.send(**ids)


@rule("sqs", relied=True)
def a_message_is_as_long_as_the_queue_says(desk: Queues) -> None:
    """MaximumMessageSize: the limit of how many bytes a message can contain before SQS rejects it."""
    queue = desk.make(MaximumMessageSize=1024)
    queue.send("ü" * 512)
    with refused(kind=BadInput):
        queue.send("x" * 1025)


@rule("sqs", relied=True)
def attributes_count_towards_the_length(desk: Queues) -> None:
    """Message attributes: name, type and value are part of the message size restriction."""
    queue = desk.make(MaximumMessageSize=1024)
    attribute = {"reason": {"DataType": "String", "StringValue": "n" * 12}}
    queue.send("x" * 1000, MessageAttributes=attribute)
    with refused(kind=BadInput):
        queue.send("x" * 1001, MessageAttributes=attribute)


@rule("sqs", relied=True)
def a_message_has_a_mebibyte_at_most(desk: Queues) -> None:
    """Quotas: the maximum message size is 1 MiB since August 2025, which is the default too."""
    queue = desk.make()
    assert queue.attributes()["MaximumMessageSize"] == "1048576"
    queue.send("x" * 1_048_576)
    assert len(queue.one()["Body"]) == 1_048_576


@rule("sqs")
def an_empty_message_is_refused(desk: Queues) -> None:
    """SendMessage: the minimum size is one character."""
    queue = desk.make()
    with refused("MissingParameter"):
        queue.send("")


@rule("sqs")
def characters_that_xml_lacks_are_refused(desk: Queues) -> None:
    """SendMessage: a message can include #x9 | #xA | #xD | #x20 to #xD7FF and so on, others raise an error."""
    queue = desk.make()
    queue.send("\t\n\r \ud7ff\ue000\ufffd\U0010ffff")
    for body in ("\x00", "\x1f", "\ufffe"):
        with refused("InvalidMessageContents"):
            queue.send(body)


@rule("sqs", relied=True)
def a_body_comes_back_as_it_was(desk: Queues) -> None:
    """SendMessage: a message can include XML, JSON and unformatted text."""
    queue = desk.make()
    body = '{"job_id":"ü","x":"<&>\\u2028 \U0001f9ea"}'
    queue.send(body)
    assert queue.one()["Body"] == body


@rule("sqs", relied=True)
def attributes_come_back(desk: Queues) -> None:
    """ReceiveMessage: with MessageAttributeNames All, all of them are returned."""
    queue = desk.make()
    sent = {"reason": {"DataType": "String", "StringValue": "ü 1"}, "n": {"DataType": "Number", "StringValue": "7"}}
    queue.send(MessageAttributes=sent)
    assert queue.one()["MessageAttributes"] == sent


@rule("sqs")
def an_attribute_is_never_empty(desk: Queues) -> None:
    """Message attributes: name, type, value and message body must not be empty or null."""
    queue = desk.make()
    with refused(kind=BadInput):
        queue.send(MessageAttributes={"reason": {"DataType": "String", "StringValue": ""}})


@rule("sqs")
def a_message_has_ten_attributes_at_most(desk: Queues) -> None:
    """Message attributes: each message can have up to 10 attributes."""
    queue = desk.make()
    attributes = {f"n{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)}
    with refused("InvalidParameterValue"):
        queue.send(MessageAttributes=attributes)


@rule("sqs", relied=True)
def a_batch_has_ten_messages_at_most(desk: Queues) -> None:
    """SendMessageBatch: up to ten messages in a single call."""
    queue = desk.make()
    assert len(queue.send_batch(*[{}] * 10)["Successful"]) == 10
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"):
        queue.send_batch(*[{}] * 11)
    assert len(queue.take(10)) == 10


@rule("sqs")
def a_batch_is_not_empty(desk: Queues) -> None:
    """SendMessageBatch: EmptyBatchRequest, the batch request doesn't contain any entries."""
    queue = desk.make()
    with refused("AWS.SimpleQueueService.EmptyBatchRequest"):
        queue.send_batch()


@rule("sqs")
def ids_in_a_batch_are_distinct(desk: Queues) -> None:
    """SendMessageBatch: BatchEntryIdsNotDistinct, two or more entries have the same Id."""
    queue = desk.make()
    with refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"):
        queue.send_batch({"Id": "a"}, {"Id": "a"})


@rule("sqs")
def ids_in_a_batch_are_plain(desk: Queues) -> None:
    """Batch entry Id: alphanumeric characters, hyphens and underscores, up to 80 of them."""
    queue = desk.make()
    assert len(queue.send_batch({"Id": "aZ_-9" * 16})["Successful"]) == 1
    for odd in ("exp/a", "a" * 81):
        with refused("AWS.SimpleQueueService.InvalidBatchEntryId"):
            queue.send_batch({"Id": odd})


@rule("sqs", relied=True)
def a_batch_is_refused_by_entry(desk: Queues) -> None:
    """SendMessageBatch: the result is reported individually, also with HTTP status 200."""
    queue = desk.make()
    answer = queue.send_batch({}, {"MessageBody": "\x00"}, {})
    assert [each["Id"] for each in answer["Successful"]] == ["0", "2"]
    assert [each["Id"] for each in answer["Failed"]] == ["1"]


@rule("sqs", relied=True)
def a_batch_is_no_longer_than_a_message(desk: Queues) -> None:
    """SendMessageBatch: the total size of all messages is at most the maximum of one (1,048,576 bytes)."""
    queue = desk.make()
    queue.send_batch(*[{"MessageBody": "x" * 104_857}] * 10)
    with refused("AWS.SimpleQueueService.BatchRequestTooLong", kind=BadInput):
        queue.send_batch(*[{"MessageBody": "x" * 104_858}] * 10)


@rule("sqs")
def a_message_has_no_delay_of_its_own(desk: Queues) -> None:
    """SendMessage: with a FIFO queue, DelaySeconds can be set only on a queue level."""
    queue = desk.make()
    with refused("InvalidParameterValue"):
        queue.send(DelaySeconds=5)


@rule("sqs")
def a_queue_can_delay_its_messages(desk: Queues) -> None:
    """DelaySeconds: the time for which the delivery of all messages in the queue is delayed."""
    queue = desk.make(DelaySeconds=3)
    queue.send()
    assert not queue.take()
    assert queue.take(wait_s=5)


@rule("sqs", relied=True)
def a_queue_that_is_not_there_is_told(desk: Queues) -> None:
    """QueueDoesNotExist, over the older code AWS.SimpleQueueService.NonExistentQueue."""
    queue = desk.make()
    gone = f"{queue.url.rsplit('/', 1)[0]}/{desk.name()}"
    with refused("AWS.SimpleQueueService.NonExistentQueue", kind=NotFound):
        desk.client.send_message(QueueUrl=gone, MessageBody="x", MessageGroupId="a", MessageDeduplicationId="1")
    with refused(kind=NotFound):
        desk.client.get_queue_url(QueueName=desk.name())
