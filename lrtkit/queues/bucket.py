"""The bucket, on R2, S3 or any server that speaks S3, as a part of a set-up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lrtkit.queues.administering import RIGHTS, administered
from lrtkit.queues.parts import Facts, same
from lrtkit.queues.patience import Pause, code, message, patiently, told
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput, Conflict, Denied, NotFound

UPLOADS = "abandoned uploads end after"
"""The fact about a bucket's lifecycle. A worker that vanishes in the midst of an upload leaves parts that cost money
and that no list of objects shows."""

POLICY = "Policy"
"""The fact about who may do what in it."""

LONGEST_DAYS = 7
TIDY = f"{LONGEST_DAYS} days"

_RULE = {
    "ID": "abandoned-uploads",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": LONGEST_DAYS},
}

_DOCTORS = (f"{keys.DOCTOR}/", keys.readings_of("doctor"))


@dataclass(frozen=True)
class BucketPart:
    """A bucket; without ``wishes`` it is only to be there."""

    client: Any = field(repr=False)
    name: str
    wishes: Facts = field(default_factory=dict)
    location: str | None = None
    pause: Pause = told
    kind: str = "bucket"

    def wanted(self) -> Facts:
        """Return its lifecycle and its policy, as far as it is to have them."""
        return self.wishes

    def found(self) -> Facts | None:
        """Return its lifecycle and its policy, as far as they matter; None where there is no such bucket.

        Raises Denied where it is somebody else's, and BadInput where it is in another region.
        """
        if not self._is_there():
            return None
        return {name: value for name in self.wishes if (value := self._fact(name)) is not None}

    def create(self) -> None:
        """Create it, and give it what it is to have; R2 ends abandoned uploads by itself."""
        place = {"CreateBucketConfiguration": {"LocationConstraint": self.location}} if self.location else {}
        try:
            with administered(f"cannot create the bucket {self.name}"):
                self.client.create_bucket(Bucket=self.name, **place)
        except Conflict as error:
            raise Conflict(f"{error}. Try: another name, that nobody else in the world has") from error.__cause__
        self.change({name: value for name, value in self.wishes.items() if not same(self._fact(name), value)})

    def change(self, facts: Facts) -> None:
        """Set its lifecycle or its policy; a policy that names a user of just now is tried until the user is known."""
        with administered(f"cannot configure the bucket {self.name}"):
            if UPLOADS in facts:
                rules = [*(rule for rule in self._rules() if rule.get("ID") != _RULE["ID"]), _RULE]
                self.client.put_bucket_lifecycle_configuration(
                    Bucket=self.name, LifecycleConfiguration={"Rules": rules}
                )
            if POLICY in facts:
                patiently(
                    lambda: self.client.put_bucket_policy(Bucket=self.name, Policy=facts[POLICY]),
                    "S3 does not know the new users everywhere yet",
                    _is_stranger,
                    self.pause,
                )

    def remove(self) -> bool:
        """Delete it with everything in it; tell whether it was there."""
        try:
            with administered(f"cannot delete bucket {self.name}"):
                self._empty()
                self.client.delete_bucket(Bucket=self.name)
        except NotFound:
            return False
        return True

    def holds_objects(self) -> bool:
        """Tell whether anything is in it but what the doctor has left."""
        try:
            with administered(f"cannot list the bucket {self.name}"):
                found = self.client.list_objects_v2(Bucket=self.name, MaxKeys=10).get("Contents", [])
        except NotFound:
            return False
        return not all(each["Key"].startswith(_DOCTORS) for each in found)

    def _is_there(self) -> bool:
        """Look at it with a call whose refusals have no words."""
        try:
            with administered(f"cannot look for the bucket {self.name}"):
                self.client.head_bucket(Bucket=self.name)
        except NotFound:
            return False
        except Denied as error:
            raise Denied(
                f"there is a bucket {self.name}, and it is somebody else's or these keys lack s3:ListBucket. "
                f"Try: another name, or {RIGHTS}"
            ) from error.__cause__
        except BadInput as error:
            if isinstance(error.__cause__, ClientError) and code(error.__cause__) == "301":
                raise BadInput(f"the bucket {self.name} is in another region. Try: another name") from error.__cause__
            raise
        return True

    def _fact(self, name: str) -> str | None:
        with administered(f"cannot read the configuration of the bucket {self.name}"):
            return self._policy() if name == POLICY else _tidiness(self._rules())

    def _policy(self) -> str | None:
        try:
            return str(self.client.get_bucket_policy(Bucket=self.name)["Policy"])
        except ClientError as error:
            if code(error) == "NoSuchBucketPolicy":
                return None
            raise

    def _rules(self) -> list[dict[str, Any]]:
        """Return the rules of its lifecycle, those of others too."""
        try:
            return list(self.client.get_bucket_lifecycle_configuration(Bucket=self.name)["Rules"])
        except ClientError as error:
            if code(error) == "NoSuchLifecycleConfiguration":
                return []
            raise

    def _empty(self) -> None:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        for page in pages:
            for found in page.get("Contents", []):
                self.client.delete_object(Bucket=self.name, Key=found["Key"])


def _tidiness(rules: list[dict[str, Any]]) -> str | None:
    """Tell when abandoned uploads end, by whichever rule for the whole bucket ends them first; sooner is as good."""
    whole = [rule for rule in rules if rule["Status"] == "Enabled" and not _is_partial(rule)]
    days = [rule[name]["DaysAfterInitiation"] for rule in whole for name in rule if name.startswith("AbortIncomplete")]
    return (TIDY if min(days) <= LONGEST_DAYS else f"{min(days)} days") if days else None


def _is_partial(rule: dict[str, Any]) -> bool:
    return bool(rule.get("Prefix") or any(rule.get("Filter", {}).values()))


def _is_stranger(error: ClientError) -> bool:
    return code(error) == "MalformedPolicy" and "rincipal" in message(error)
