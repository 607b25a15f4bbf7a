"""Submission: the share of what the queue takes, the ratio to the guide's way, and the memory of a million rows.

Queue and bucket are 100 ms away, there and back. The queue keeps nothing and throttles what is more
than it takes, so that the figures are those of the sender. The guide's submitter sends ten messages
in a call, one call after the other, with boto3 as it comes; it is timed on fewer rows.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3

from bench import stage
from bench.distance import distant
from bench.sink import ROOT, Queue, sunk
from bench.table import Row, at_least, below
from lrtkit.connection import Cloud
from lrtkit.experiment import Experiment
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings
from lrtkit.wire.sqs import CALLS_PER_S, LARGEST_BATCH, SqsQueue

ROWS = 10_000
GUIDES_ROWS = 1_000
STINGY_CALLS_PER_S = 100
STINGY_ROWS = 5_000
MILLION = 1_000_000
DELAY_S = 0.05


def measure() -> Iterator[Row]:
    """Submit to a queue of the service's limit, the guide's way too, and to a stingier one; then a million rows."""
    with stage.opened() as there, distant(there.env["R2_S3_ENDPOINT_URL"], DELAY_S) as bucket:
        env = {**there.env, "R2_S3_ENDPOINT_URL": bucket}
        with sunk(CALLS_PER_S, burst=CALLS_PER_S) as queue:
            ours_s, share = _submitted(env, queue, "full", ROWS)
            words, meets = at_least(95, "%")
            yield Row(f"share of {CALLS_PER_S} calls/s, {ROWS:,} rows", [share], unit="%", target=words, meets=meets)
            ratio = _guides_s(env, queue) * ROWS / GUIDES_ROWS / ours_s
            words, meets = at_least(20)
            yield Row("speed against the guide's submitter, in all", [ratio], unit="x", target=words, meets=meets)
        with sunk(STINGY_CALLS_PER_S, burst=STINGY_CALLS_PER_S / 10) as queue:
            _, share = _submitted(env, queue, "stingy", STINGY_ROWS)
            yield Row(f"share of {STINGY_CALLS_PER_S} calls/s, which the sender is not told", [share], unit="%")
            yield Row("  calls refused meanwhile", [queue.told()["throttled"]], unit="", digits=0)
    mb, seconds = _million()
    words, meets = below(200, "MB")
    yield Row(f"memory for a CSV of {MILLION:,} rows", [mb], unit="MB", target=words, meets=meets, digits=0)
    yield Row("  checked, written down and sent to nowhere in", [seconds], digits=0)


def _submitted(env: Mapping[str, str], queue: Queue, name: str, rows: int) -> tuple[float, float]:
    """Submit rows; return the seconds that took in all, and the per cent of its calls that the queue was sent."""
    with _cloud(env, queue) as cloud:
        experiment = Experiment(name, cloud)
        began = time.monotonic()
        experiment.submit(_table(rows))
        took_s = time.monotonic() - began
    told = queue.told()
    sending_s = told["last_at"] - told["first_at"] + 2 * DELAY_S  # on a new connection, the first came later by that
    return took_s, 100 * told["taken"] / sending_s / queue.calls_per_s


def _guides_s(env: Mapping[str, str], queue: Queue) -> float:
    """Return the seconds in which the guide's submitter sends its rows."""
    with distant(queue.url, DELAY_S) as url:
        began = time.monotonic()
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        client = boto3.client("sqs", endpoint_url=url, region_name=env["SQS_AWS_REGION"], **keys)
        rows = _table(GUIDES_ROWS)
        for first in range(0, GUIDES_ROWS, LARGEST_BATCH):
            entries = [_entry(row) for row in rows[first : first + LARGEST_BATCH]]
            client.send_message_batch(QueueUrl=f"{url}/000000000000/guide.fifo", Entries=entries)
        return time.monotonic() - began


def _entry(row: Mapping[str, Any]) -> dict[str, str]:
    name = str(row["name"])
    return {"Id": name, "MessageBody": json.dumps(row), "MessageGroupId": name, "MessageDeduplicationId": name}


def _million() -> tuple[float, float]:
    """Return the megabytes and the seconds of a submission of a million rows."""
    command = [sys.executable, "-m", "bench.million", str(MILLION)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    mb, seconds, sent = told.stdout.split()
    if int(sent) != MILLION:
        raise RuntimeError(f"of {MILLION:,} rows {sent} were sent")
    return float(mb), float(seconds)


def _table(rows: int) -> list[dict[str, Any]]:
    return [
        {"name": f"t{row:07}", "steps": 1000, "temperature": 0.7 + row % 13 / 10, "seed": row} for row in range(rows)
    ]


@contextmanager
def _cloud(env: Mapping[str, str], queue: Queue) -> Iterator[Cloud]:
    """Give a cloud whose queue is far away."""
    with distant(queue.url, DELAY_S) as url:
        urls = {name: f"{url}/000000000000/{name[4:7].lower()}.fifo" for name in ("SQS_QUEUE_URL", "SQS_DLQ_URL")}
        settings = CloudSettings.from_env({**env, **urls, "AWS_ENDPOINT_URL_SQS": url})
        yield Cloud(SqsQueue(settings.queue), S3Store(settings.bucket), settings, "the bench")
