"""A witness of what happens to jobs, who knows nothing of the kit: it reads the bucket and the queue alone.

Its rules are those of the design, on the JSON as it lies there. What it sees it sees in passing, so
a rule about the past holds for every state that it came by.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import boto3
from botocore.config import Config

from tests.waiting import until

LOOK_S = 0.5
FINAL = {"done", "failed", "cancelled"}


class Witness:
    """Looks again and again at the records of jobs, whose results are known beforehand."""

    def __init__(self, env: Mapping[str, str], expected: Mapping[str, bytes]) -> None:
        self._s3 = _client("s3", env["R2_S3_ENDPOINT_URL"])
        self._sqs = _client("sqs", env["AWS_ENDPOINT_URL_SQS"])
        self._bucket = env["R2_BUCKET_NAME"]
        self._queues = env["SQS_QUEUE_URL"], env["SQS_DLQ_URL"]
        self._expected = expected
        self._etags: dict[str, str] = {}
        self._seen: dict[str, dict[str, Any]] = {}
        self._looked_at = -LOOK_S

    def all_have_ended(self) -> bool:
        """Look from time to time, and tell whether every job had ended at the last look."""
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._looked_at = time.monotonic()
            self._look()
        return sum(record["_lrt"]["state"] in FINAL for record in self._seen.values()) == len(self._expected)

    def _look(self) -> None:
        """Read each record that has changed, and see that none went back."""
        for key, etag in self._listed().items():
            job_id, _, name = key.rpartition("/")
            if name == "checkpoint.json" and self._etags.get(key) != etag:
                self._etags[key], body = until(partial(self._written, key))
                self._compare(job_id, json.loads(body))

    def is_idle(self) -> bool:
        """Tell whether the queue holds nothing any more."""
        return _messages(self._sqs, self._queues[0]) == 0

    def judge(self) -> None:
        """See that nothing is lost, nothing doubled, nothing set aside, and every result what it has to be."""
        self._look()
        assert self._seen.keys() == self._expected.keys(), "a record of a job that nobody sent, or none of one"
        assert _messages(self._sqs, self._queues[1]) == 0, "a job was set aside"
        keys = self._listed().keys()
        for job_id, result in self._expected.items():
            self._judge(job_id, self._seen[job_id]["_lrt"], result)
            assert not [key for key in keys if key.startswith(f"{job_id}/files/")], f"files of {job_id} are left"

    def faults(self) -> int:
        """Return how many interruptions the records tell of."""
        return sum(record["_lrt"]["counts"]["interruptions"] for record in self._seen.values())

    def _judge(self, job_id: str, told: dict[str, Any], result: bytes) -> None:
        attempts, counts = told["attempts"], told["counts"]
        assert told["state"] == "done", f"{job_id} is {told['state']}: {told['error']}"
        assert json.dumps(told["result"]).encode() == result == self._read(f"{job_id}/result.txt"), f"{job_id} differs"
        assert [each["outcome"] for each in attempts].count("done") == 1, f"{job_id} was done more than once"
        assert attempts[-1]["outcome"] == "done", f"{job_id} went on after its end"
        assert counts["failures"] == 0, f"an interruption of {job_id} counted as a failure"
        assert counts["attempts"] == told["generation"] == counts["interruptions"] + 1, f"{job_id}: {counts}"
        for earlier, later in pairwise(attempts):
            assert later["generation"] == earlier["generation"] + 1, f"generations of {job_id} do not follow"
            assert (later["first_step"] or 0) >= (earlier["last_step"] or 0), f"{job_id} began before its checkpoint"

    def _compare(self, job_id: str, now: dict[str, Any]) -> None:
        before, self._seen[job_id] = self._seen.get(job_id), now
        if before:
            assert before["_lrt"]["state"] not in FINAL, f"{job_id} has changed after its end"
            assert now["_lrt"]["generation"] >= before["_lrt"]["generation"], f"the generation of {job_id} went back"
            assert now.get("step", 0) >= before.get("step", 0), f"the step of {job_id} went back"

    def _written(self, key: str) -> tuple[str, bytes] | None:
        """Return ETag, which can be a newer one than was listed, and text; SeaweedFS may have none in mid-writing."""
        found = self._s3.get_object(Bucket=self._bucket, Key=key)
        body = found["Body"].read()
        return (found["ETag"], body) if body else None

    def _listed(self) -> dict[str, str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return {found["Key"]: found["ETag"] for page in pages for found in page.get("Contents", [])}

    def _read(self, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body


def _client(service: str, url: str) -> Any:
    config = Config(retries={"total_max_attempts": 10, "mode": "standard"})
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    return boto3.client(service, endpoint_url=url, config=config, **keys)


def _messages(client: Any, url: str) -> int:
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(count) for name, count in attributes.items() if name.startswith("ApproximateNumberOfMessages"))
