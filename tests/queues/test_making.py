"""Making the queue pair and the bucket, once and again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lrtkit import queues
from lrtkit.connection import Cloud
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, NotFound
from lrtkit.wire.sqs import SqsQueue


def sqs(cloud: Cloud) -> Any:
    settings = cloud.settings.queue
    return aws.client("sqs", settings.access, endpoint_url=settings.endpoint_url, region=settings.region)


def attributes(cloud: Cloud, url: str) -> dict[str, str]:
    return dict(sqs(cloud).get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def test_makes_all_three(bare_cloud: Cloud) -> None:
    """The queue, its dead-letter queue and the bucket are created, and told a line each."""
    made = queues.make(bare_cloud)
    assert repr(made).splitlines() == [
        f"created dead-letter queue {bare_cloud.queue.dead_letter_url.rsplit('/', 1)[-1]}",
        f"created queue {bare_cloud.queue.name}",
        f"created bucket {bare_cloud.store.bucket}",
    ]
    bare_cloud.check()


def test_attributes_are_what_the_worker_needs(cloud: Cloud) -> None:
    """Both queues keep messages for 14 days, take 1 MiB, poll long and are encrypted."""
    for url in (cloud.queue.url, cloud.queue.dead_letter_url):
        found = attributes(cloud, url)
        assert {name: found[name] for name in queues.QUEUE} == queues.QUEUE
    assert cloud.queue.largest_message() == 1024 * 1024


def test_interruptions_do_not_dead_letter(cloud: Cloud) -> None:
    """The queue itself gives up only after a thousand receives, and only into its own dead-letter queue."""
    redrive = json.loads(attributes(cloud, cloud.queue.url)["RedrivePolicy"])
    dead = attributes(cloud, cloud.queue.dead_letter_url)
    assert (int(redrive["maxReceiveCount"]), redrive["deadLetterTargetArn"]) == (1000, dead["QueueArn"])
    allow = json.loads(dead["RedriveAllowPolicy"])
    assert allow == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [attributes(cloud, cloud.queue.url)["QueueArn"]],
    }


def test_a_second_time_keeps_everything(cloud: Cloud) -> None:
    """Running the cell again changes nothing, and messages stay."""
    assert {part.outcome for part in queues.make(cloud).parts} == {queues.Outcome.KEPT}


def test_strayed_attributes_are_mended_and_told(cloud: Cloud) -> None:
    """A queue made by hand is brought to the wanted attributes, and each change is told."""
    policy = {"deadLetterTargetArn": attributes(cloud, cloud.queue.dead_letter_url)["QueueArn"], "maxReceiveCount": 3}
    sqs(cloud).set_queue_attributes(
        QueueUrl=cloud.queue.url, Attributes={"VisibilityTimeout": "30", "RedrivePolicy": json.dumps(policy)}
    )
    dead, queue, bucket = queues.make(cloud).parts
    assert (queue.outcome, dead.outcome, bucket.outcome) == ("changed", "kept", "kept")
    assert set(queue.changes) == {"VisibilityTimeout", "RedrivePolicy"}
    assert "VisibilityTimeout 30 → 120" in str(queue)
    assert attributes(cloud, cloud.queue.url)["VisibilityTimeout"] == "120"


def test_dead_letter_queue_learns_who_may_redrive(cloud: Cloud) -> None:
    """A dead-letter queue that lets every queue in is closed to others, and that is told."""
    open_to_all = {"RedriveAllowPolicy": json.dumps({"redrivePermission": "allowAll"})}
    sqs(cloud).set_queue_attributes(QueueUrl=cloud.queue.dead_letter_url, Attributes=open_to_all)
    assert set(queues.make(cloud).parts[0].changes) == {"RedriveAllowPolicy"}


def test_a_name_without_fifo_is_refused(bare_cloud: Cloud) -> None:
    """Only FIFO queues keep one job to one worker, so that others are refused before anything is made."""
    queue = replace(bare_cloud.settings.queue, url="https://sqs.eu-west-1.amazonaws.com/123456789012/jobs")
    with pytest.raises(BadInput, match=r"jobs must end in a name .* Try: https://.*/jobs\.fifo$"):
        queues.make(replace(bare_cloud, settings=replace(bare_cloud.settings, queue=queue)))


def test_url_of_another_account_is_told(bare_cloud: Cloud, server: str) -> None:
    """A URL that does not lead to the queue of the key's account is told, with the one that does."""
    url = bare_cloud.queue.url.replace("000000000000", "999999999999")
    queue = replace(bare_cloud.settings.queue, url=url)
    cloud = replace(bare_cloud, settings=replace(bare_cloud.settings, queue=queue), queue=SqsQueue(queue))
    with pytest.raises(
        BadInput, match=r"the queue jobs-\w+\.fifo is at .*/000000000000/.*, and the settings say .*/99"
    ):
        queues.make(cloud)
    queues.delete(bare_cloud)


def test_delete_takes_everything_and_bears_repetition(bare_cloud: Cloud) -> None:
    """Queues and bucket are gone with what was in them, and deleting nothing is no error."""
    queues.make(bare_cloud)
    bare_cloud.store.put("a/checkpoint.json", b"{}")
    queues.delete(bare_cloud)
    queues.delete(bare_cloud)
    with pytest.raises(NotFound):
        bare_cloud.check()
