"""The bucket: the one module that speaks S3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from botocore.exceptions import ClientError

from lrtkit.wire import aws, listing, parallel
from lrtkit.wire.errors import Conflict, Unavailable
from lrtkit.wire.line import Answer
from lrtkit.wire.listing import Listed, Page
from lrtkit.wire.reading import Asked, FastReader
from lrtkit.wire.settings import BucketSettings

T = TypeVar("T")

THREADS = 32
"""For what is read in parallel by botocore; it has as many connections."""


@dataclass(frozen=True)
class Item:
    """An object as read."""

    body: bytes
    etag: str


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

    def read(self, keys: Sequence[str], make: Callable[[bytes], T]) -> dict[str, T]:
        """Return what ``make`` makes of each object's body, by its key; a key that is not there is left out.

        For small objects by the thousand: in parallel, each at a fraction of the cost of ``get``. Raises as that does.
        """

        def take(answer: Answer) -> tuple[T, ...]:
            return (make(answer.body),)

        def get(key: str) -> tuple[T, ...]:
            item = self.get(key)
            return (make(item.body),) if item else ()

        found = self._read_fast([(key, {}) for key in keys], take)
        made = zip(keys, _completed(found, keys, get), strict=True)
        return {key: value for key, values in made for value in values}

    def pages(self, prefix: str, after: Sequence[str]) -> list[Page]:
        """List, for each of these keys, the first page of what follows it among the keys that begin with ``prefix``."""

        def get(key: str) -> Page:
            start = {"StartAfter": key} if key else {}
            with aws.explained(f"cannot list {self._where(prefix)}"):
                return listing.botocore_page(self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **start))

        asked = [("", listing.query(prefix, key)) for key in after]
        return _completed(self._read_fast(asked, listing.page), after, get)

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

    def _read_fast(self, asked: Sequence[Asked], take: Callable[[Answer], T | None]) -> list[T | None]:
        return self._fast.read(asked, take) if asked and self._fast else [None] * len(asked)

    def _where(self, key: str) -> str:
        return f"{key} in bucket {self.bucket}"


def _completed(found: Sequence[T | None], keys: Sequence[str], get: Callable[[str], T]) -> list[T]:
    """Return what was found for each key, and what ``get`` returns, in parallel, where nothing was."""
    missed = [key for key, each in zip(keys, found, strict=True) if each is None]
    late = iter(parallel.each(get, missed, threads=THREADS, name="read"))
    return [next(late) if each is None else each for each in found]


def _etag(answer: dict[str, Any]) -> str:
    """Return an answer's ETag, without which it is none of S3: a page of somebody in between is no object."""
    if "ETag" not in answer:
        raise aws.NoAnswer("the answer has no ETag, as if no S3 were there")
    return str(answer["ETag"])
