"""The bucket: the one module that speaks S3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lrtkit.wire import aws
from lrtkit.wire.errors import Conflict, Unavailable
from lrtkit.wire.reading import FastReader
from lrtkit.wire.settings import BucketSettings


@dataclass(frozen=True)
class Item:
    """An object as read."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class Listed:
    """An object as listed; ``modified_at`` in seconds since 1970."""

    key: str
    etag: str
    size: int
    modified_at: float


class Store(Protocol):
    """What the worker needs of the bucket."""

    def get(self, key: str) -> Item | None:
        """Return an object, or None where there is none of that key; every other trouble raises."""

    def changed(self, key: str, etag: str) -> bool:
        """Tell whether an object is no longer the one of this ETag."""

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write over the object of this ETag (None: where there is none), return the new ETag; raise Conflict."""

    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object, in parallel parts where it is large."""

    def download(self, key: str, path: Path) -> bool:
        """Write an object to a file; tell whether there was one."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List the objects whose keys begin with ``prefix``, in the order of their keys."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there do not matter."""


class S3Store:
    """A bucket of R2, S3 or any server that speaks S3 with conditional writes, over a client that ``connect`` makes."""

    def __init__(self, settings: BucketSettings, *, connect: aws.Connect = aws.client) -> None:
        self.bucket = settings.name
        self._settings = settings
        self._connect = connect

    def __repr__(self) -> str:
        return f"<bucket {self.bucket}>"

    @cached_property
    def _client(self) -> Any:
        where = self._settings.endpoint_url
        return self._connect("s3", self._settings.access, endpoint_url=where, read_timeout_s=30)

    @cached_property
    def _fast(self) -> FastReader | None:
        """What goes around the client; around one that was handed in nothing may."""
        return FastReader(self._settings) if self._connect is aws.client else None

    def get(self, key: str) -> Item | None:
        """Return an object, or None where there is none of that key; every other trouble raises."""
        with aws.explained(f"cannot read {self._where(key)}"):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
            return Item(answer["Body"].read(), _etag(answer))

    def read(self, key: str) -> Item | None:
        """Return an object as ``get`` does, at a third of the cost: for small objects by the thousand."""
        found = self._fast and self._fast.read(key)
        return Item(*found) if found else self.get(key)

    def changed(self, key: str, etag: str) -> bool:
        """Tell whether an object is no longer the one of this ETag."""
        with aws.explained(f"cannot look at {self._where(key)}"):
            try:
                return _etag(self._client.head_object(Bucket=self.bucket, Key=key)) != etag
            except ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                    return True
                raise

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        with aws.explained(f"cannot write {self._where(key)}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write over the object of this ETag (None: where there is none), return the new ETag; raise Conflict.

        A write whose answer was lost is found by reading back: if the object is what was to be
        written, it was written.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            with aws.explained(f"cannot write {self._where(key)}"):
                return _etag(self._client.put_object(Bucket=self.bucket, Key=key, Body=body, **condition))
        except (Conflict, Unavailable):
            found = self.get(key)
            if found and found.body == body:
                return found.etag
            raise

    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object, in parallel parts where it is large."""
        with aws.explained(f"cannot write {self._where(key)}"):
            self._client.upload_file(str(path), self.bucket, key)

    def download(self, key: str, path: Path) -> bool:
        """Write an object to a file; tell whether there was one."""
        with aws.explained(f"cannot read {self._where(key)}"):
            try:
                self._client.download_file(self.bucket, key, str(path))
            except ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                    return False
                raise
        return True

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List the objects whose keys begin with ``prefix``, in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with aws.explained(f"cannot list {self._where(prefix)}"):
            for page in pages:
                for found in page.get("Contents", []):
                    yield Listed(found["Key"], found["ETag"], found["Size"], found["LastModified"].timestamp())

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there do not matter."""
        for key in keys:
            with aws.explained(f"cannot delete {self._where(key)}"):
                self._client.delete_object(Bucket=self.bucket, Key=key)

    def _where(self, key: str) -> str:
        return f"{key} in bucket {self.bucket}"


def _etag(answer: dict[str, Any]) -> str:
    """Return an answer's ETag, without which it is none of S3: a page of somebody in between is no object."""
    if "ETag" not in answer:
        raise aws.NoAnswer("the answer has no ETag, as if no S3 were there")
    return str(answer["ETag"])
