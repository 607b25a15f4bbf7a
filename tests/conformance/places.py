"""Where the rules are tried: the twins, the servers on loopback, and, with keys for it, AWS and R2."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto import mock_aws

from lrtkit.wire import aws
from lrtkit.wire.settings import Access
from tests import servers
from tests.conformance.desks import OURS, Bucket, Queues
from tests.conformance.differences import expected
from tests.conformance.rules import Outcome, Rule
from tests.simulation.clock import START, Blocked, Meter
from tests.simulation.s3 import S3Twin
from tests.simulation.sqs import SqsTwin

AT_ONCE = 16
MOST_IN_FLIGHT = 25
"""What the twin is made with here, in place of 120,000."""

Tried = Callable[[Rule], Outcome]


class HandTime:
    """Time that is moved by hand, and what is to be done on the way."""

    def __init__(self) -> None:
        self._now = START
        self._later: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        """Return the seconds since 1970."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Move the time, and do on the way what is due."""
        end = self._now + seconds
        while self._later and self._later[0][0] <= end:
            self._now, call = self._later.pop(0)
            call()
        self._now = end

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Do something at a time."""
        self._later.append((self._now + seconds, call))

    def next(self) -> float:
        """Return how long it is until something is to be done."""
        return self._later[0][0] - self._now if self._later else float("inf")


class Patient:
    """The twin of SQS for a caller who waits: a poll moves the time on until it has its answer."""

    def __init__(self, twin: SqsTwin, meter: Meter, clock: HandTime) -> None:
        self._twin = twin
        self._meter = meter
        self._clock = clock

    def receive_message(self, **asked: Any) -> Any:
        """Ask again whenever something may have happened."""
        began = self._clock.now()
        while True:
            try:
                with self._meter.waited(self._clock.now() - began):
                    return self._twin.receive_message(**asked)
            except Blocked as blocked:
                self._clock.wait(min(blocked.wait_s, self._clock.next()))

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._twin, operation)


class RealTime:
    """The time of the machine."""

    def now(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Make a call in a thread."""
        threading.Timer(seconds, call).start()


def on_twins(rule: Rule) -> Outcome:
    """Try a rule on twins of its own."""
    clock, meter = HandTime(), Meter()
    if rule.service == "sqs":
        twin = SqsTwin(now=clock.now, meter=meter, lag_s=0, most_in_flight=MOST_IN_FLIGHT)
        return rule.tried(Queues(Patient(twin, meter, clock), clock, MOST_IN_FLIGHT))
    s3 = S3Twin(now=clock.now, meter=meter)
    s3.create_bucket(Bucket="rules")
    return rule.tried(Bucket(s3, clock, "rules", f"{rule.id}/"))


def on_clients(clients: dict[str, Any], *, bucket: str = "rules") -> Tried:
    """Return what tries a rule over clients; each rule has queues and a prefix of its own."""
    clock = RealTime()
    if "s3" in clients:
        clients["s3"].create_bucket(Bucket=bucket)

    def tried(rule: Rule) -> Outcome:
        if rule.service == "sqs":
            return rule.tried(Queues(clients["sqs"], clock))
        return rule.tried(Bucket(clients["s3"], clock, bucket, f"{rule.id}/"))

    return tried


@dataclass(frozen=True)
class Place:
    """A place, the services that it stands for, and whether it can be had here."""

    name: str
    services: tuple[str, ...]
    opened: Callable[[Path], AbstractContextManager[Tried]]
    is_here: Callable[[], bool] = lambda: True
    patience_s: float = 5
    at_once: int = AT_ONCE

    def mine(self, rules: list[Rule]) -> list[Rule]:
        """Return the rules that can be tried here."""
        return [rule for rule in rules if rule.service in self.services and rule.takes_s <= self.patience_s]

    def outcomes(self, rules: list[Rule], folder: Path) -> dict[str, Outcome]:
        """Try the rules, several at a time, for most of them wait; what is not as expected gets a second chance."""
        mine = self.mine(rules)
        with self.opened(folder) as tried, ThreadPoolExecutor(self.at_once) as threads:
            found = dict(zip([rule.id for rule in mine], threads.map(tried, mine), strict=True))
            for rule in mine:
                if found[rule.id].verdict is not expected(self.name, rule):  # the machine may have been busy
                    found[rule.id] = tried(rule)
        return found


@contextmanager
def _twins(_: Path) -> Iterator[Tried]:
    yield on_twins


@contextmanager
def _moto(_: Path) -> Iterator[Tried]:
    with mock_aws():
        yield on_clients(_clients(None, "sqs", "s3"))


def _served(start: Callable[[Path], AbstractContextManager[str]], *services: str) -> Callable[[Path], Any]:
    @contextmanager
    def opened(folder: Path) -> Iterator[Tried]:
        with start(folder) as url:
            yield on_clients(_clients(url, *services))

    return opened


def _clients(url: str | None, *services: str) -> dict[str, Any]:
    return {
        service: aws.client(service, Access("key", "secret"), endpoint_url=url, region="us-east-1")
        for service in services
    }


AWS_NAMES = ("CONFORMANCE_SQS_KEY_ID", "CONFORMANCE_SQS_SECRET", "CONFORMANCE_SQS_REGION")
R2_NAMES = ("CONFORMANCE_R2_KEY_ID", "CONFORMANCE_R2_SECRET", "CONFORMANCE_R2_URL")


def _told(names: tuple[str, ...]) -> Callable[[], bool]:
    return lambda: all(os.environ.get(name) for name in names)


@contextmanager
def _aws(_: Path) -> Iterator[Tried]:
    """Try on SQS itself; the queues that were made are deleted in the end."""
    key_id, secret, region = (os.environ[name] for name in AWS_NAMES)
    client = aws.client("sqs", Access(key_id, secret), endpoint_url=None, region=region, read_timeout_s=25)
    try:
        yield on_clients({"sqs": client})
    finally:
        for url in client.list_queues(QueueNamePrefix=OURS).get("QueueUrls", []):
            client.delete_queue(QueueUrl=url)


@contextmanager
def _r2(_: Path) -> Iterator[Tried]:
    """Try on R2 itself, in a bucket of its own, which is deleted in the end."""
    key_id, secret, url = (os.environ[name] for name in R2_NAMES)
    client = aws.client("s3", Access(key_id, secret), endpoint_url=url, region="us-east-1", read_timeout_s=30)
    bucket = OURS.rstrip("-")
    try:
        yield on_clients({"s3": client}, bucket=bucket)
    finally:
        for found in client.list_buckets()["Buckets"]:
            if found["Name"].startswith(bucket):
                _delete_bucket(client, found["Name"])


def _delete_bucket(client: Any, name: str) -> None:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for found in page.get("Contents", []):
            client.delete_object(Bucket=name, Key=found["Key"])
    client.delete_bucket(Bucket=name)


PLACES = (
    Place("twin", ("sqs", "s3"), _twins, patience_s=math.inf, at_once=1),
    Place("ministack", ("sqs", "s3"), _served(servers.ministack, "sqs", "s3"), patience_s=2),
    Place("moto", ("sqs", "s3"), _moto, patience_s=2),
    Place("localstack", ("sqs",), _served(servers.localstack, "sqs"), servers.has_second_opinion),
    Place("SeaweedFS", ("s3",), _served(servers.seaweedfs, "s3"), servers.has_second_opinion),
    Place("AWS", ("sqs",), _aws, _told(AWS_NAMES), patience_s=70),
    Place("R2", ("s3",), _r2, _told(R2_NAMES), patience_s=70),
)
