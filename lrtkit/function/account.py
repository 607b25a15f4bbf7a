"""Whoever may set up AWS: clients of one account and region, on AWS or on a server that stands in for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from lrtkit.autoscaler.settings import cloud_settings
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput

_CONFIG = Config(connect_timeout=5, read_timeout=70, retries={"mode": "standard", "total_max_attempts": 4})


@dataclass(frozen=True)
class Account:
    """The session of an administrator; its keys are not those of the autoscaler's env file."""

    session: Any
    region: str
    endpoint_url: str | None

    @classmethod
    def of(cls, env: Mapping[str, str], profile: str | None) -> Account:
        """Return the account of the queue's region, as the AWS profile or boto3's own defaults enter it.

        Where the env file says that SQS is not on AWS (``AWS_ENDPOINT_URL_SQS``), its server stands in for
        all of AWS, and its keys for an administrator's.
        """
        queue = cloud_settings(env).queue
        keys = {"aws_access_key_id": queue.access.key_id, "aws_secret_access_key": queue.access.secret}
        try:
            session = boto3.session.Session(profile_name=profile, **({} if not queue.endpoint_url else keys))
        except BotoCoreError as error:
            raise BadInput(f"{error}. Try: one of {', '.join(boto3.session.Session().available_profiles)}") from error
        return cls(session, queue.region, queue.endpoint_url)

    def client(self, service: str) -> Any:
        """Return a client of the service."""
        with aws.explained(f"cannot enter {service} in {self.region}"):
            return self.session.client(service, region_name=self.region, endpoint_url=self.endpoint_url, config=_CONFIG)
