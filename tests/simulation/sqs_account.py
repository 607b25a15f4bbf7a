"""What an account of SQS has: queues, their attributes, and the counts that lag."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.simulation import sqs_rules as rules
from tests.simulation.clock import Meter
from tests.simulation.fifo import LONGEST_LAG_S, Fifo
from tests.simulation.service import Service

ANSWER_S = 0.03
MOST_IN_FLIGHT = 120_000
ROOT = "https://sqs.us-east-1.amazonaws.com/000000000000/"
ARN = "arn:aws:sqs:us-east-1:000000000000:"
WAIT_AGAIN_S = 60

Answer = dict[str, Any]


class Account(Service):
    """The queues of an account."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        meter: Meter | None = None,
        rng: random.Random | None = None,
        lag_s: float = LONGEST_LAG_S,
        answer_s: float = ANSWER_S,
        most_in_flight: int = MOST_IN_FLIGHT,
    ) -> None:
        super().__init__("sqs", now=now, meter=meter, rng=rng, answer_s=answer_s)
        self._lag_s = lag_s
        self._most_in_flight = most_in_flight
        self._queues: dict[str, Fifo] = {}
        self._deleted: dict[str, float] = {}
        self._news: dict[str, asyncio.Event] = {}

    def create_queue(self, *, QueueName: str, Attributes: Mapping[str, str] | None = None) -> Answer:
        """Make a FIFO queue; one that is there already is answered, unless it has other attributes."""
        now, given = self._met("CreateQueue"), dict(Attributes or {})
        if given.get("FifoQueue") != "true":
            raise NotImplementedError("the twin has FIFO queues only. Try: Attributes={'FifoQueue': 'true'}")
        rules.check_name(QueueName)
        rules.check_attributes("CreateQueue", given, self._is_queue)
        if now < self._deleted.get(QueueName, 0) + WAIT_AGAIN_S:
            words = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
            raise rules.no("CreateQueue", f"{rules.OLDER}QueueDeletedRecently", words, kind="QueueDeletedRecently")
        if QueueName in self._queues:
            _check_same(self._queues[QueueName], given)
        else:
            self._queues[QueueName] = Fifo(
                QueueName,
                {**rules.DEFAULTS, **given},
                arn=ARN + QueueName,
                now=now,
                rng=self._rng,
                most_in_flight=self._most_in_flight,
            )
        return {"QueueUrl": ROOT + QueueName}

    def get_queue_url(self, *, QueueName: str) -> Answer:
        """Return the URL of a queue."""
        return {"QueueUrl": ROOT + self._queue("GetQueueUrl", QueueName)[0].name}

    def list_queues(self, *, QueueNamePrefix: str = "") -> Answer:
        """Return the URLs of the queues whose names begin so."""
        self._met("ListQueues")
        found = [ROOT + name for name in sorted(self._queues) if name.startswith(QueueNamePrefix)]
        return {"QueueUrls": found} if found else {}

    def list_dead_letter_source_queues(self, *, QueueUrl: str) -> Answer:
        """Return the URLs of the queues whose dead letters this one takes."""
        queue, _ = self._queue("ListDeadLetterSourceQueues", QueueUrl)
        return {"queueUrls": [ROOT + name for name, each in sorted(self._queues.items()) if self._dead(each) is queue]}

    def delete_queue(self, *, QueueUrl: str) -> Answer:
        """Take a queue away with all that is in it."""
        queue, now = self._queue("DeleteQueue", QueueUrl)
        del self._queues[queue.name]
        self._deleted[queue.name] = now
        self._tell(queue)
        return {}

    def purge_queue(self, *, QueueUrl: str) -> Answer:
        """Empty a queue, once in 60 s."""
        queue, now = self._queue("PurgeQueue", QueueUrl)
        if queue.purged is not None and now < queue.purged + WAIT_AGAIN_S:
            words = f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
            raise rules.no("PurgeQueue", f"{rules.OLDER}PurgeQueueInProgress", words, kind="PurgeQueueInProgress")
        queue.purge(now)
        return {}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str] = ()) -> Answer:
        """Return attributes, with counts as they were up to ``lag_s`` ago."""
        queue, now = self._queue("GetQueueAttributes", QueueUrl)
        every = {
            "QueueArn": queue.arn,
            "CreatedTimestamp": str(int(queue.created)),
            "LastModifiedTimestamp": str(int(queue.modified)),
            "FifoQueue": "true",
            **queue.attributes,
            **self._counts(queue, now),
        }
        for name in AttributeNames:
            if name != "All" and name not in every and name not in {"Policy", "RedrivePolicy", "RedriveAllowPolicy"}:
                raise rules.no("GetQueueAttributes", "InvalidAttributeName", f"Unknown Attribute {name}.")
        found = every if "All" in AttributeNames else {name: every[name] for name in AttributeNames if name in every}
        return {"Attributes": found} if found else {}

    def set_queue_attributes(self, *, QueueUrl: str, Attributes: Mapping[str, str]) -> Answer:
        """Change attributes."""
        queue, now = self._queue("SetQueueAttributes", QueueUrl)
        rules.check_attributes("SetQueueAttributes", Attributes, self._is_queue)
        for name, value in Attributes.items():
            if value or name not in {"RedrivePolicy", "RedriveAllowPolicy", "Policy"}:
                queue.attributes[name] = value
            else:
                queue.attributes.pop(name, None)
        queue.modified = now
        queue.settle(now)
        return {}

    def look(self, url: str) -> Fifo:
        """Return a queue as it is now, for whoever looks from above: it is no call and takes no time."""
        queue = self._queues[url.rpartition("/")[2]]
        queue.settle(self._now())
        return queue

    def _queue(self, operation: str, url: str) -> tuple[Fifo, float]:
        now = self._met(operation)
        queue = self._queues.get(url.rpartition("/")[2])
        if not queue:
            raise rules.no_queue(operation)
        queue.settle(now)
        return queue, now

    def _tell(self, queue: Fifo) -> None:
        """Wake whoever waits for a message."""
        if news := self._news.pop(queue.name, None):
            news.set()

    def _is_queue(self, arn: str) -> bool:
        return arn.rpartition(":")[2] in self._queues

    def _dead(self, queue: Fifo) -> Fifo | None:
        policy = queue.attributes.get("RedrivePolicy")
        return self._queues.get(json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2]) if policy else None

    def _counts(self, queue: Fifo, now: float) -> dict[str, str]:
        """Return the counts of a moment that is drawn."""
        then = now - self._lag_s * self._rng.random()
        found = next((counts for at, counts in reversed(queue.past) if at <= then), queue.past[0][1])
        return {place.value: str(count) for place, count in zip(queue.counts, found, strict=True)}


def _check_same(queue: Fifo, given: Mapping[str, str]) -> None:
    for name, value in given.items():
        if name != "FifoQueue" and queue.attributes.get(name) != value:
            words = f"A queue already exists with the same name and a different value for attribute {name}"
            raise rules.no("CreateQueue", "QueueAlreadyExists", words, kind="QueueNameExists")
