"""Whose keys are looked at, and the clients that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    queues: Any = field(repr=False)
    buckets: Any = field(repr=False)
    users: Any = field(repr=False)

    @classmethod
    def of(cls, env: Mapping[str, str], role: Role, *, plan_days: float | None = None, prefix: str = "") -> Patient:
        """Read the variables; raise BadInput that names each that is missing or wrong."""
        cloud, worker = CloudSettings.from_env(env), WorkerSettings.from_env(env)
        queue, bucket = cloud.queue, cloud.bucket
        door = queue.access, queue.endpoint_url, queue.region
        return cls(
            role,
            cloud,
            worker,
            plan_days,
            prefix,
            queues=_client("sqs", *door),
            buckets=_client("s3", bucket.access, bucket.endpoint_url, "auto"),
            users=_client("iam", *door),
        )

    @property
    def on_r2(self) -> bool:
        """R2 knows no policies: a token may read or write a whole bucket."""
        return is_r2(self.cloud.bucket.endpoint_url)

    @property
    def enforced(self) -> bool:
        """Servers on this machine let everybody do everything."""
        return not is_here(self.cloud.queue.endpoint_url or "")


def _client(service: str, access: Any, endpoint_url: str | None, region: str) -> Any:
    return aws.client(service, access, endpoint_url=endpoint_url, region=region)
