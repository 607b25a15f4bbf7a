"""The doors that whoever makes, rotates and tears down goes through."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from lrtkit.queues.administering import advised
from lrtkit.queues.cloudflare import Cloudflare
from lrtkit.queues.policies import Account
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, Denied, Unavailable
from lrtkit.wire.settings import Access, CloudSettings, read_env_file


@dataclass(frozen=True)
class Admin:
    """Clients that may make queues, users and a bucket, the account that they act in, and where things are.

    ``endpoint_url`` is set only off AWS; ``cloudflare`` only where the bucket is on R2.
    """

    account: Account
    bucket_url: str
    endpoint_url: str | None = None
    cloudflare: Cloudflare | None = None
    queues: Any = field(default=None, repr=False)
    users: Any = field(default=None, repr=False)
    buckets: Any = field(default=None, repr=False)

    def __repr__(self) -> str:
        where = f"account {self.account.id} in {self.account.region}"
        return f"<administrator of {where}, with the bucket at {self.bucket_url}>"

    @classmethod
    def from_profile(cls, profile: str | None = None, *, region: str, cloudflare: Cloudflare | None = None) -> Admin:
        """Return the doors of a profile as ``aws configure`` writes it; without one, of boto3's own search.

        The bucket is on R2 where ``cloudflare`` is given, else on S3. Where boto3's own ``AWS_ENDPOINT_URL``
        says that another server stands in for AWS, the env files will say so too. Raises BadInput where there is no
        such profile or no key in it, and Denied where AWS does not know the key.
        """
        access = _of_profile(profile)
        named = f" --profile {profile}" if profile else ""
        try:
            return _admin(access, region, os.environ.get("AWS_ENDPOINT_URL") or None, cloudflare)
        except Denied as error:
            raise advised(error, f"aws configure{named}, or aws sso login{named}") from error.__cause__
        except Unavailable as error:
            told = str(error).partition(". Try: ")[0]
            raise Unavailable(f"{told}. Try: a region such as us-east-1, or look at your network") from error.__cause__

    @classmethod
    def from_env_file(cls, path: str | Path, *, cloudflare: Cloudflare | None = None) -> Admin:
        """Return the doors of an env file whose keys may do everything, as those of the local cloud do."""
        settings = CloudSettings.from_env(read_env_file(path))
        queue = settings.queue
        return _admin(queue.access, queue.region, queue.endpoint_url, cloudflare)


def _of_profile(profile: str | None) -> Access:
    try:
        found = boto3.session.Session(profile_name=profile).get_credentials()
        keys = found.get_frozen_credentials() if found else None
    except BotoCoreError as error:
        raise BadInput(f"{str(error).rstrip('.')}. Try: aws configure --profile {profile or 'NAME'}") from error
    if keys is None:
        raise BadInput(f"the profile {profile or 'default'} has no keys. Try: aws configure")
    return Access(keys.access_key, keys.secret_key, keys.token)


def _admin(access: Access, region: str, endpoint_url: str | None, cloudflare: Cloudflare | None) -> Admin:
    client = functools.partial(aws.client, access=access, endpoint_url=endpoint_url, region=region)
    with aws.explained("cannot find out whose keys these are"):
        account = Account(client("sts").get_caller_identity()["Account"], region)
    doors = {"queues": client("sqs"), "users": client("iam")}
    if cloudflare:
        url = cloudflare.bucket_url
        buckets = aws.client("s3", cloudflare.access(), endpoint_url=url, region="us-east-1")
    else:
        url = endpoint_url or f"https://s3.{region}.{account.domain}"
        buckets = client("s3", endpoint_url=url)
    return Admin(account, url, endpoint_url, cloudflare, buckets=buckets, **doors)
