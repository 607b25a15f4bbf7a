"""Whose keys are looked at, and the clients that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lrtkit.queues.places import is_here, is_r2
from lrtkit.queues.policies import Role
from lrtkit.wire import aws
from lrtkit.wire.settings import CloudSettings, WorkerSettings


@dataclass(frozen=True)
class Patient:
    """An env file's settings, the role of its holder, and clients with its keys."""

    role: Role
    cloud: CloudSettings
    worker: WorkerSettings
    plan_days: float | None
    prefix: str

    @classmethod
    def of(cls, env: Mapping[str, str], role: Role, *, plan_days: float | None = None, prefix: str = "") -> Patient:
        """Read the variables; raise BadInput that names each that is missing or wrong."""
        return cls(role, CloudSettings.from_env(env), WorkerSettings.from_env(env), plan_days, prefix)

    @cached_property
    def queues(self) -> Any:
        """A client of SQS with these keys."""
        return self._at_aws("sqs")

    @cached_property
    def users(self) -> Any:
        """A client of IAM with these keys."""
        return self._at_aws("iam")

    @cached_property
    def buckets(self) -> Any:
        """A client of S3 or R2 with these keys."""
        return aws.client("s3", self.cloud.bucket.access, endpoint_url=self.cloud.bucket.endpoint_url)

    def _at_aws(self, service: str) -> Any:
        queue = self.cloud.queue
        return aws.client(service, queue.access, endpoint_url=queue.endpoint_url, region=queue.region)

    @property
    def on_r2(self) -> bool:
        """R2 knows no policies: a token may read or write a whole bucket."""
        return is_r2(self.cloud.bucket.endpoint_url)

    @property
    def enforced(self) -> bool:
        """Servers on this machine let everybody do everything."""
        return not is_here(self.cloud.queue.endpoint_url or "")
