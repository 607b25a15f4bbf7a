"""What SQS promises about queues themselves."""

from __future__ import annotations

from lrtkit.wire.errors import NotFound
from tests.conformance.desks import Queues
from tests.conformance.rules import refused, rule


@rule("sqs")
def the_name_of_a_fifo_queue_ends_in_fifo(desk: Queues) -> None:
    """CreateQueue: a FIFO queue name must end with the .fifo suffix, 80 characters with it."""
    for odd in ("plain", "x" * 76 + ".fifo", "a/b.fifo"):
        with refused("InvalidParameterValue"):
            desk.make(name=odd)


@rule("sqs", relied=True)
def a_queue_can_be_made_twice(desk: Queues) -> None:
    """CreateQueue: with the name of an existing queue and the same attributes it returns that queue's URL."""
    first = desk.make(VisibilityTimeout=120)
    name = first.url.rsplit("/", 1)[-1]
    assert desk.make(name=name, VisibilityTimeout=120).url == first.url
    assert desk.client.get_queue_url(QueueName=name)["QueueUrl"] == first.url


@rule("sqs")
def a_queue_with_other_attributes_is_another(desk: Queues) -> None:
    """QueueNameExists, over the older code QueueAlreadyExists: the request includes attributes that differ."""
    name = desk.make(VisibilityTimeout=120).url.rsplit("/", 1)[-1]
    with refused("QueueAlreadyExists"):
        desk.make(name=name, VisibilityTimeout=60)


@rule("sqs", relied=True)
def attributes_can_be_changed(desk: Queues) -> None:
    """SetQueueAttributes: sets the value of one or more queue attributes."""
    queue = desk.make()
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "77"})
    assert queue.attributes()["VisibilityTimeout"] == "77"
    assert queue.attributes()["FifoQueue"] == "true"


@rule("sqs")
def unknown_attributes_are_refused(desk: Queues) -> None:
    """InvalidAttributeName: the specified attribute doesn't exist."""
    queue = desk.make()
    with refused("InvalidAttributeName"):
        queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"Colour": "red"})


@rule("sqs")
def attributes_out_of_range_are_refused(desk: Queues) -> None:
    """InvalidAttributeValue: VisibilityTimeout from 0 to 43,200, DelaySeconds to 900, waits to 20."""
    odd = {"VisibilityTimeout": 43_201, "DelaySeconds": 901, "ReceiveMessageWaitTimeSeconds": 21}
    for name, value in odd.items():
        with refused("InvalidAttributeValue"):
            desk.make(**{name: str(value)})


@rule("sqs", relied=True)
def a_deleted_queue_is_gone(desk: Queues) -> None:
    """DeleteQueue: deletes the queue regardless of its contents."""
    queue = desk.make()
    queue.send()
    queue.client.delete_queue(QueueUrl=queue.url)
    with refused(kind=NotFound):
        queue.send()


@rule("sqs", takes_s=61)
def a_deleted_queue_is_made_again_after_a_minute(desk: Queues) -> None:
    """DeleteQueue: wait at least 60 seconds before creating a queue with the same name."""
    queue = desk.make()
    name = queue.url.rsplit("/", 1)[-1]
    queue.client.delete_queue(QueueUrl=queue.url)
    with refused("AWS.SimpleQueueService.QueueDeletedRecently"):
        desk.make(name=name)
    desk.time.wait(61)
    desk.make(name=name)


@rule("sqs")
def a_purge_empties_a_queue(desk: Queues) -> None:
    """PurgeQueue: deletes available messages, also those in flight."""
    queue = desk.make()
    for body in "12":
        queue.send(body)
    queue.one(hold_s=1)
    queue.client.purge_queue(QueueUrl=queue.url)
    desk.time.wait(1.3)
    assert not queue.take()


@rule("sqs")
def a_queue_is_purged_once_a_minute(desk: Queues) -> None:
    """PurgeQueueInProgress: the specified queue received a PurgeQueue request within the last 60 seconds."""
    queue = desk.make()
    queue.client.purge_queue(QueueUrl=queue.url)
    with refused("AWS.SimpleQueueService.PurgeQueueInProgress"):
        queue.client.purge_queue(QueueUrl=queue.url)


@rule("sqs", relied=True)
def messages_are_counted_by_where_they_are(desk: Queues) -> None:
    """ApproximateNumberOfMessages, NotVisible and Delayed: right within a minute after the last change."""
    queue, slow = desk.make(), desk.make(DelaySeconds=900)
    for group in "abc":
        queue.send(group=group)
    queue.one(hold_s=600)
    slow.send()
    for _ in range(60):
        if (queue.counts(), slow.counts()) == ((2, 1, 0), (0, 0, 1)):
            return
        desk.time.wait(1)
    raise AssertionError(f"{queue.counts()}, {slow.counts()}")


@rule("sqs")
def queues_are_listed_by_prefix(desk: Queues) -> None:
    """ListQueues: only those whose name begins with the specified string."""
    queue = desk.make()
    name = queue.url.rsplit("/", 1)[-1]
    assert desk.client.list_queues(QueueNamePrefix=name.removesuffix(".fifo"))["QueueUrls"] == [queue.url]
    assert not desk.client.list_queues(QueueNamePrefix=desk.name()).get("QueueUrls")


@rule("sqs")
def a_dead_letter_queue_knows_its_sources(desk: Queues) -> None:
    """ListDeadLetterSourceQueues: the queues with a RedrivePolicy for this dead-letter queue."""
    queue, dead = desk.pair(receives=5)
    assert desk.client.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"] == [queue.url]
