"""What an account of R2 has: buckets."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from tests.simulation.clock import Meter
from tests.simulation.objects import Objects
from tests.simulation.refusals import refused
from tests.simulation.s3_rules import Answer, time_of
from tests.simulation.service import Service

ANSWER_S = 0.05
WRITE_INTERVAL_S = 1.0
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Account(Service):
    """The buckets of an account."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        meter: Meter | None = None,
        rng: random.Random | None = None,
        answer_s: float = ANSWER_S,
        write_interval_s: float = WRITE_INTERVAL_S,
        up_s_a_byte: float = 0.0,
        down_s_a_byte: float = 0.0,
    ) -> None:
        super().__init__("s3", now=now, meter=meter, rng=rng, answer_s=answer_s)
        self._write_interval_s = write_interval_s
        self._up_s_a_byte = up_s_a_byte
        self._down_s_a_byte = down_s_a_byte
        self._buckets: dict[str, Objects] = {}

    def create_bucket(self, *, Bucket: str, **_: Any) -> Answer:
        """Make a bucket."""
        now = self._met("CreateBucket")
        if not BUCKET_NAME.fullmatch(Bucket):
            raise refused("s3", "CreateBucket", "InvalidBucketName", "The specified bucket is not valid.")
        if Bucket in self._buckets:
            words = "Your previous request to create the named bucket succeeded and you already own it."
            raise refused("s3", "CreateBucket", "BucketAlreadyOwnedByYou", words, status=409)
        self._buckets[Bucket] = Objects(now)
        return {"Location": f"/{Bucket}"}

    def head_bucket(self, *, Bucket: str) -> Answer:
        """Tell whether there is a bucket."""
        self._met("HeadBucket")
        if Bucket not in self._buckets:
            raise refused("s3", "HeadBucket", "404", "Not Found", status=404)
        return {}

    def list_buckets(self) -> Answer:
        """Return the names of the buckets."""
        self._met("ListBuckets")
        return {"Buckets": [{"Name": name, "CreationDate": time_of(each.created)} for name, each in self._sorted()]}

    def delete_bucket(self, *, Bucket: str) -> Answer:
        """Take an empty bucket away."""
        if self._bucket("DeleteBucket", Bucket).things:
            words = "The bucket you tried to delete is not empty"
            raise refused("s3", "DeleteBucket", "BucketNotEmpty", words, status=409)
        del self._buckets[Bucket]
        return {}

    def _sorted(self) -> list[tuple[str, Objects]]:
        return sorted(self._buckets.items())

    def _bucket(self, operation: str, name: str) -> Objects:
        self._met(operation)
        found = self._buckets.get(name)
        if not found:
            raise refused("s3", operation, "NoSuchBucket", "The specified bucket does not exist", status=404)
        return found
