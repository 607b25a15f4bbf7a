"""The keys of one user: made, tried, turned off and deleted, at AWS and at Cloudflare."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lrtkit.queues.administering import administered
from lrtkit.queues.cloudflare import WRITES, Cloudflare, secret_of
from lrtkit.queues.patience import Pause, code, patiently
from lrtkit.wire import aws, keys
from lrtkit.wire.errors import NotFound
from lrtkit.wire.settings import Access

LIMIT = 2
"""The most keys that IAM lets a user have, which is just enough to change one for another."""

_PAGE = 50


class KeyRing(Protocol):
    """The keys of one user with one service."""

    def listed(self) -> Mapping[str, datetime | None]:
        """Return the ids of its keys, and when each was made; none where there is no such user."""

    def make(self) -> Access:
        """Make a key, which the service may not know everywhere yet."""

    def check(self, access: Access) -> None:
        """Wait until the service knows a key; raise Denied where it does not let it in."""

    def turn_off(self, key_id: str) -> None:
        """Let a key open nothing any more, in a way that can be undone."""

    def turn_on(self, key_id: str) -> None:
        """Undo that."""

    def delete(self, key_id: str) -> None:
        """Delete a key for good."""


@dataclass(frozen=True)
class AwsKeys:
    """The access keys of a user of IAM."""

    iam: Any = field(repr=False)
    user: str
    region: str
    endpoint_url: str | None
    pause: Pause

    def listed(self) -> Mapping[str, datetime | None]:
        """Return the ids of its keys, and when each was made; none where there is no such user."""
        try:
            with administered(f"cannot list the keys of {self.user}"):
                found = self.iam.list_access_keys(UserName=self.user)["AccessKeyMetadata"]
        except NotFound:
            return {}
        return {each["AccessKeyId"]: each["CreateDate"] for each in found}

    def make(self) -> Access:
        """Make a key, which AWS may not know everywhere yet."""
        with administered(f"cannot make a key for {self.user}"):
            made = self.iam.create_access_key(UserName=self.user)["AccessKey"]
        return Access(made["AccessKeyId"], made["SecretAccessKey"])

    def check(self, access: Access) -> None:
        """Wait until AWS knows a key, and raise Denied where it never does; everybody may ask it who they are."""
        client = aws.client("sts", access, endpoint_url=self.endpoint_url, region=self.region)
        why = f"AWS does not know the new key of {self.user} everywhere yet"
        with aws.explained(f"the key {access.key_id} of {self.user} does not work"):
            patiently(client.get_caller_identity, why, _is_unknown, self.pause)

    def turn_off(self, key_id: str) -> None:
        """Let a key open nothing any more, in a way that can be undone."""
        self._set(key_id, "Inactive")

    def turn_on(self, key_id: str) -> None:
        """Undo that."""
        self._set(key_id, "Active")

    def delete(self, key_id: str) -> None:
        """Delete a key for good."""
        with administered(f"cannot delete the key {key_id} of {self.user}"):
            self.iam.delete_access_key(UserName=self.user, AccessKeyId=key_id)

    def _set(self, key_id: str, status: str) -> None:
        with administered(f"cannot make the key {key_id} of {self.user} {status.lower()}"):
            self.iam.update_access_key(UserName=self.user, AccessKeyId=key_id, Status=status)


@dataclass(frozen=True)
class R2Tokens:
    """The API tokens that Cloudflare keeps for a user, each for one bucket."""

    cloudflare: Cloudflare
    user: str
    bucket: str
    pause: Pause

    @property
    def title(self) -> str:
        """What the tokens are called in Cloudflare's console."""
        jurisdiction = self.cloudflare.jurisdiction
        return f"lrtkit {self.user} {self.bucket}" + ("" if jurisdiction == "default" else f" {jurisdiction}")

    def listed(self) -> Mapping[str, datetime | None]:
        """Return the ids of its tokens, and when each was made, as far as Cloudflare says so."""
        return {str(each["id"]): _time(each.get("issued_on")) for each in self._tokens()}

    def make(self) -> Access:
        """Make a token, and return it as a key pair, which R2 may not know everywhere yet."""
        made = self.cloudflare.call("POST", "tokens", self._wish())
        return Access(str(made["id"]), secret_of(made["value"]))

    def check(self, access: Access) -> None:
        """Wait until R2 knows a key, and raise Denied where it never does."""
        client = aws.client("s3", access, endpoint_url=self.cloudflare.bucket_url)

        def look() -> None:
            try:
                client.get_object(Bucket=self.bucket, Key=keys.PROBE)
            except client.exceptions.NoSuchKey:
                return

        with aws.explained(f"the key {access.key_id} of {self.user} does not work"):
            patiently(look, f"R2 does not know the new key of {self.user} everywhere yet", _is_unknown, self.pause)

    def turn_off(self, key_id: str) -> None:
        """Let a token open nothing any more, in a way that can be undone."""
        self.cloudflare.call("PUT", f"tokens/{key_id}", {**self._wish(), "status": "disabled"})

    def turn_on(self, key_id: str) -> None:
        """Undo that."""
        self.cloudflare.call("PUT", f"tokens/{key_id}", {**self._wish(), "status": "active"})

    def delete(self, key_id: str) -> None:
        """Delete a token for good."""
        self.cloudflare.call("DELETE", f"tokens/{key_id}")

    def _tokens(self) -> Iterator[Mapping[str, Any]]:
        for number in itertools.count(1):
            page = self.cloudflare.call("GET", f"tokens?per_page={_PAGE}&page={number}")
            yield from (each for each in page if each["name"] == self.title)
            if len(page) < _PAGE:
                return

    def _wish(self) -> dict[str, Any]:
        """Return the token as it is to be: to read and write objects of this bucket, and nothing else."""
        groups = self.cloudflare.call("GET", "tokens/permission_groups")
        (group,) = [each["id"] for each in groups if each["name"] == WRITES]
        place = f"{self.cloudflare.account}_{self.cloudflare.jurisdiction}_{self.bucket}"
        policy = {
            "effect": "allow",
            "resources": {f"com.cloudflare.edge.r2.bucket.{place}": "*"},
            "permission_groups": [{"id": group}],
        }
        return {"name": self.title, "policies": [policy]}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _is_unknown(error: ClientError) -> bool:
    return code(error) in {"InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "Unauthorized"}
