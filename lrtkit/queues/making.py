"""The queue pair and the bucket alone, as the settings name them, with keys that may make them."""

from __future__ import annotations

from typing import Any

from lrtkit.connection import Cloud
from lrtkit.queues.bucket import BucketPart
from lrtkit.queues.names import check_queue
from lrtkit.queues.pair import QUEUE, QueuePart, redrivable, redrive
from lrtkit.queues.parts import Part
from lrtkit.queues.plan import Made, settle
from lrtkit.queues.policies import Account
from lrtkit.wire import aws
from lrtkit.wire.sqs import name_of


def make(cloud: Cloud) -> Made:
    """Make the queue pair and the bucket that the settings name; what is there already is kept, or mended.

    Raises BadInput where a name cannot be that of a FIFO queue, or where a URL of the settings leads
    to another account than the one the queue was made in.
    """
    for url in (cloud.settings.queue.url, cloud.settings.queue.dead_letter_url):
        check_queue(name_of(url), url)
    return settle(_parts(cloud))


def delete(cloud: Cloud) -> None:
    """Delete the queue pair and the bucket with everything in them; what is not there does not matter."""
    for part in reversed(_parts(cloud)):
        part.remove()


def _parts(cloud: Cloud) -> list[Part]:
    """Return the parts in the order in which they need one another."""
    settings = cloud.settings.queue
    client = aws.client("sqs", settings.access, endpoint_url=settings.endpoint_url, region=settings.region)
    name, dead = name_of(settings.url), name_of(settings.dead_letter_url)
    waits = {**QUEUE, **redrive(_arn(settings.dead_letter_url, settings.region))}
    allow = redrivable(_arn(settings.url, settings.region))
    return [
        QueuePart(client, "dead-letter queue", dead, QUEUE, url=settings.dead_letter_url),
        QueuePart(client, "queue", name, waits, url=settings.url),
        QueuePart(client, "dead-letter queue", dead, allow, url=settings.dead_letter_url),
        BucketPart(_bucket_client(cloud), cloud.store.bucket),
    ]


def _arn(url: str, region: str) -> str:
    account, name = url.split("/")[-2:]
    return Account(account, region).queue(name)


def _bucket_client(cloud: Cloud) -> Any:
    """Return a client for the region that needs no location; to R2 it means the same as its own ``auto``."""
    settings = cloud.settings.bucket
    return aws.client("s3", settings.access, endpoint_url=settings.endpoint_url, region="us-east-1")
