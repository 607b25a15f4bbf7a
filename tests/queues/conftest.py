"""A cloud that checks signatures and enforces policies, and set-ups on it: every refusal here is the server's own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lrtkit.queues import Admin, Setup
from lrtkit.wire import aws
from lrtkit.wire.settings import Access, read_env_file, write_env_file
from tests import servers
from tests.queues.recorder import Recorder

REGION = "us-east-1"
ROOT = Access("test", "test")
"""The one key that a guarded ministack lets do everything."""


@dataclass
class Clock:
    """Pauses that take no time, and what was said of each."""

    waits: list[tuple[float, str]] = field(default_factory=list)

    def __call__(self, seconds: float, why: str) -> None:
        """Note the wait."""
        self.waits.append((seconds, why))

    @property
    def waited_s(self) -> float:
        """How long it would have taken."""
        return sum(seconds for seconds, _ in self.waits)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a ministack that checks signatures and enforces policies."""
    with servers.ministack(tmp_path_factory.mktemp("guarded"), "tests.queues.guarded:app", AUTH="true") as url:
        yield url


@pytest.fixture(scope="session")
def gate(guarded: str) -> Iterator[Recorder]:
    """The way to it, which notes who made which calls, and which counts as TLS."""
    gate = Recorder(guarded)
    yield gate
    gate.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def names() -> dict[str, Any]:
    """Names of queues, bucket and users that no other test has."""
    mark = uuid.uuid4().hex[:8]
    return {
        "queue": f"jobs-{mark}.fifo",
        "dead_letter_queue": f"dead-{mark}.fifo",
        "bucket": f"bucket-{mark}",
        "users": {role: f"{role}-{mark}" for role in ("submitter", "worker", "reader", "autoscaler")},
    }


def admin_file(folder: Path, url: str, access: Access) -> Path:
    """Return an env file of an administrator's."""
    pair = {"ACCESS_KEY_ID": access.key_id, "SECRET_ACCESS_KEY": access.secret}
    path = folder / f"{access.key_id}.env"
    write_env_file(
        path,
        {
            **{f"{prefix}_AWS_{name}": value for prefix in ("R2", "SQS") for name, value in pair.items()},
            "R2_S3_ENDPOINT_URL": url,
            "R2_BUCKET_NAME": "any",
            "SQS_AWS_REGION": REGION,
            "SQS_QUEUE_URL": f"{url}/000000000000/any.fifo",
            "SQS_DLQ_URL": f"{url}/000000000000/any-dead.fifo",
            "AWS_ENDPOINT_URL_SQS": url,
        },
    )
    return path


@pytest.fixture
def setup(gate: Recorder, names: dict[str, Any], clock: Clock, tmp_path: Path) -> Iterator[Setup]:
    """A set-up on the guarded cloud, by an administrator who may do exactly what its policy says."""
    root = Setup(Admin.from_env_file(admin_file(tmp_path, gate.url, ROOT)), tmp_path / "keys", **names, pause=clock)
    iam = aws.client("iam", ROOT, endpoint_url=gate.url, region=REGION)
    name = f"admin-{root.bucket}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="setup", PolicyDocument=json.dumps(root.admin_policy()))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    limited = Admin.from_env_file(admin_file(tmp_path, gate.url, Access(key["AccessKeyId"], key["SecretAccessKey"])))
    yield Setup(limited, tmp_path / "keys", **names, pause=clock)
    root.teardown(root.queue, with_contents=True)


def env_of(setup: Setup, role: str) -> Mapping[str, str]:
    """Return a role's variables."""
    return read_env_file(setup.env_file(role))
