"""A cloud in virtual time: the kit's own queue and bucket, over twins of SQS and R2."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from lrtkit import queues
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import Access, BucketSettings, QueueSettings
from lrtkit.wire.sqs import SqsQueue
from tests.simulation.clock import Meter, time_of_day
from tests.simulation.s3 import S3Twin
from tests.simulation.sqs import SqsTwin
from tests.simulation.sqs_account import ARN, ROOT

ACCESS = Access("key", "secret")
QUEUE = QueueSettings(f"{ROOT}jobs.fifo", f"{ROOT}dead.fifo", "us-east-1", ACCESS)
BUCKET = BucketSettings("jobs", "https://r2.example", ACCESS)


class CloudTwin:
    """Twins with an empty queue pair and an empty bucket; what a file takes on its way is in seconds a byte."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time_of_day,
        seed: int = 0,
        max_receives: int = int(queues.MAX_RECEIVES),
        up_s_a_byte: float = 0.0,
        down_s_a_byte: float = 0.0,
    ) -> None:
        self.meter = Meter()
        self.sqs = SqsTwin(now=now, meter=self.meter, rng=random.Random(seed))
        self.s3 = S3Twin(
            now=now,
            meter=self.meter,
            rng=random.Random(seed),
            up_s_a_byte=up_s_a_byte,
            down_s_a_byte=down_s_a_byte,
        )
        policy = json.dumps({"deadLetterTargetArn": f"{ARN}dead.fifo", "maxReceiveCount": max_receives})
        self.sqs.create_queue(QueueName="dead.fifo", Attributes=queues.QUEUE)
        self.sqs.create_queue(QueueName="jobs.fifo", Attributes={**queues.QUEUE, "RedrivePolicy": policy})
        self.s3.create_bucket(Bucket=BUCKET.name)
        self.queue = SqsQueue(QUEUE, connect=self.connect)
        self.store = S3Store(BUCKET, connect=self.connect)
        self.forget()

    def connect(self, service: str, *_: Any, **__: Any) -> Any:
        """Return the twin of a service."""
        return {"sqs": self.sqs, "s3": self.s3}[service]

    def forget(self) -> None:
        """Count calls, and what they take, from now on."""
        self.sqs.calls.clear()
        self.s3.calls.clear()
        self.meter.read()
