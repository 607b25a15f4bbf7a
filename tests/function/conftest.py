"""An account on moto, and the env file of an autoscaler whose queue is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from lrtkit.wire.settings import write_env_file

SECRETS = ("salad-secret-word", "r2-secret-word")
REGION = "eu-central-1"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the queue in an account of moto's, which boto3's own defaults enter."""
    for name, value in {"AWS_ACCESS_KEY_ID": "ADMIN", "AWS_SECRET_ACCESS_KEY": "admin"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        queue = boto3.client("sqs", region_name=REGION).create_queue(
            QueueName="jobs.fifo", Attributes={"FifoQueue": "true"}
        )
        yield queue["QueueUrl"]


@pytest.fixture
def values(account: str) -> dict[str, str]:
    return {
        "queue_url": account,
        "min_replicas": "0",
        "max_replicas": "7",
        "salad_org": "acme",
        "salad_project": "demo",
        "salad_container_group_name": "workers",
        "salad_api_key": SECRETS[0],
        "R2_S3_ENDPOINT_URL": "https://account.r2.cloudflarestorage.com",
        "R2_BUCKET_NAME": "bucket",
        "R2_AWS_ACCESS_KEY_ID": "KEY",
        "R2_AWS_SECRET_ACCESS_KEY": SECRETS[1],
        "SQS_AWS_ACCESS_KEY_ID": "SQSKEY",
        "SQS_AWS_SECRET_ACCESS_KEY": "sqs-secret-word",
    }


@pytest.fixture
def env_file(tmp_path: Path, values: dict[str, str]) -> Path:
    path = tmp_path / "autoscaler.env"
    write_env_file(path, values)
    return path
