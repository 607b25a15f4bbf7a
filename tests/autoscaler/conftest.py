"""An autoscaler between a real queue and bucket and a SaladCloud made from the published field lists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lrtkit.autoscaler import Autoscaler
from lrtkit.connection import Cloud
from lrtkit.scaling import Policy
from lrtkit.wire.sqs import Outgoing
from tests.salad.published import Published, served


@pytest.fixture
def published() -> Iterator[Published]:
    with served(Published()) as cloud:
        yield cloud


@pytest.fixture
def scaler(cloud: Cloud, published: Published) -> Autoscaler:
    return Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=Policy(max_replicas=9))


@pytest.fixture
def jobs(cloud: Cloud):
    """``jobs(3)`` puts so many messages into the queue."""

    def send(count: int) -> None:
        for number in range(count):
            cloud.queue.send(Outgoing("{}", group=f"job-{number}", once=f"job-{number}"))

    return send
