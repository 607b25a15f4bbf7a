"""A twin of R2 and S3, in memory and in a time that is handed in: what boto3's client has.

Where the two differ it is R2: one write a second to a key, metadata of 8 KB.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

from botocore.response import StreamingBody

from tests.simulation import s3_rules as rules
from tests.simulation.objects import Objects, Thing, Upload, etag_of, etag_of_file, etag_of_parts
from tests.simulation.refusals import refused
from tests.simulation.s3_account import Account
from tests.simulation.s3_rules import Answer

LARGEST_PAGE = 1000
MOST_PARTS = 10_000


class S3Twin(Account):
    """An account of R2. ``now`` gives seconds since 1970; ``calls`` counts the requests by operation.

    ``up_s_a_byte`` and ``down_s_a_byte`` are what a file takes on its way, beside ``answer_s`` for
    every call. A conditional write while another to the key is under way is refused with 409 as
    often as not. ``write_interval_s`` is 0 for an S3 without R2's limit.
    """

    def get_object(
        self,
        *,
        Bucket: str,
        Key: str,
        IfMatch: str = "",
        IfNoneMatch: str = "",
        Range: str = "",
    ) -> Answer:
        """Return an object or a part of it."""
        thing = self._bucket("GetObject", Bucket).things.get(Key)
        if not thing:
            raise rules.no_key("GetObject")
        if IfMatch and not rules.matches(IfMatch, thing):
            raise rules.not_so("GetObject")
        if IfNoneMatch and rules.matches(IfNoneMatch, thing):
            raise refused("s3", "GetObject", "304", "Not Modified", status=304)
        body = rules.part_of(thing.body, Range)
        status = {"ResponseMetadata": {"HTTPStatusCode": 206 if Range else 200}}
        return {**rules.described(thing, len(body)), **status, "Body": StreamingBody(io.BytesIO(body), len(body))}

    def head_object(self, *, Bucket: str, Key: str) -> Answer:
        """Return what is known of an object beside its body."""
        self._met("HeadObject")
        found = self._buckets.get(Bucket)
        thing = found.things.get(Key) if found else None
        if not thing:
            raise refused("s3", "HeadObject", "404", "Not Found", status=404)
        return rules.described(thing, len(thing.body))

    def download_file(self, Bucket: str, Key: str, Filename: str) -> None:
        """Write an object to a file."""
        body = self.get_object(Bucket=Bucket, Key=Key)["Body"].read()
        self._meter.spend(len(body) * self._down_s_a_byte)
        Path(Filename).write_bytes(body)

    def list_objects_v2(
        self,
        *,
        Bucket: str,
        Prefix: str = "",
        Delimiter: str = "",
        MaxKeys: int = LARGEST_PAGE,
        StartAfter: str = "",
        ContinuationToken: str = "",
    ) -> Answer:
        """Return a page of the objects in the order of their keys."""
        found = self._bucket("ListObjectsV2", Bucket)
        page = found.page(Prefix, Delimiter, rules.key_of(ContinuationToken) or StartAfter, min(MaxKeys, LARGEST_PAGE))
        answer: Answer = {
            "Name": Bucket,
            "Prefix": Prefix,
            "MaxKeys": MaxKeys,
            "KeyCount": len(page.keys) + len(page.prefixes),
            "IsTruncated": page.last is not None,
            "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"date": formatdate(self._now(), usegmt=True)}},
        }
        if page.keys:
            answer["Contents"] = [rules.listed(key, found.things[key]) for key in page.keys]
        if page.prefixes:
            answer["CommonPrefixes"] = [{"Prefix": each} for each in page.prefixes]
        return answer | ({"NextContinuationToken": rules.token(page.last)} if page.last is not None else {})

    def get_paginator(self, operation: str) -> Pages:
        """Return what lists page after page."""
        return Pages(getattr(self, operation))

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: Any = b"",
        Metadata: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        """Write an object, on condition of the ETag that is there or of there being none."""
        bucket, body = self._bucket("PutObject", Bucket), rules.bytes_of(Body)
        metadata = Metadata or {}
        rules.check_size("PutObject", Key, metadata)
        return self._write("PutObject", bucket, Key, Thing(body, etag_of(body), self._now(), metadata), rest)

    def upload_file(self, Filename: str, Bucket: str, Key: str) -> None:
        """Write a file as an object; its ETag is the one that boto3's parts give it."""
        body = Path(Filename).read_bytes()
        bucket = self._bucket("PutObject", Bucket)
        rules.check_size("PutObject", Key, {})
        self._meter.spend(len(body) * self._up_s_a_byte)
        self._write("PutObject", bucket, Key, Thing(body, etag_of_file(body), self._now()), {})

    def delete_object(self, *, Bucket: str, Key: str) -> Answer:
        """Take an object away; one that is not there does not matter."""
        self._bucket("DeleteObject", Bucket).drop(Key)
        return {}

    def delete_objects(self, *, Bucket: str, Delete: Mapping[str, Any]) -> Answer:
        """Take up to 1,000 objects away."""
        bucket, keys = self._bucket("DeleteObjects", Bucket), [each["Key"] for each in Delete["Objects"]]
        if not 0 < len(keys) <= LARGEST_PAGE:
            words = "The XML you provided was not well-formed or did not validate against our published schema"
            raise refused("s3", "DeleteObjects", "MalformedXML", words)
        for key in keys:
            bucket.drop(key)
        return {} if Delete.get("Quiet") else {"Deleted": [{"Key": key} for key in keys]}

    def _write(self, operation: str, bucket: Objects, key: str, thing: Thing, given: Mapping[str, Any]) -> Answer:
        old = bucket.things.get(key)
        self._check_condition(operation, old, thing.written, given)
        if old and thing.written - old.written < self._write_interval_s:
            words = "Reduce your concurrent request rate for the same object."
            raise refused("s3", operation, "TooManyRequests", words, status=429)
        bucket.put(key, thing)
        return {"ETag": thing.etag}

    def _check_condition(self, operation: str, old: Thing | None, now: float, given: Mapping[str, Any]) -> None:
        """Refuse a write whose condition does not hold, or that another is in the way of."""
        match, none_match = given.get("IfMatch"), given.get("IfNoneMatch")
        if not match and not none_match:
            return
        if old and now - old.written < self.answer_s and self._rng.random() < 0.5:
            words = "The conditional request cannot succeed due to a conflicting operation against this resource."
            raise refused("s3", operation, "ConditionalRequestConflict", words, status=409)
        if match and not old:
            raise rules.no_key(operation)
        if old and (none_match or not rules.matches(match or "", old)):
            raise rules.not_so(operation)

    def create_multipart_upload(
        self,
        *,
        Bucket: str,
        Key: str,
        Metadata: Mapping[str, str] | None = None,
    ) -> Answer:
        """Begin to write an object in parts."""
        bucket = self._bucket("CreateMultipartUpload", Bucket)
        rules.check_size("CreateMultipartUpload", Key, Metadata or {})
        upload_id = f"{self._rng.getrandbits(128):032x}"
        bucket.uploads[upload_id] = Upload(Key, Metadata or {})
        return {"Bucket": Bucket, "Key": Key, "UploadId": upload_id}

    def upload_part(self, *, Bucket: str, Key: str, UploadId: str, PartNumber: int, Body: Any) -> Answer:
        """Write a part; a second one of its number takes its place."""
        upload, body = self._upload("UploadPart", Bucket, Key, UploadId), rules.bytes_of(Body)
        if not 1 <= PartNumber <= MOST_PARTS:
            words = "Part number must be an integer between 1 and 10000, inclusive"
            raise refused("s3", "UploadPart", "InvalidArgument", words)
        upload.parts[PartNumber] = (body, etag_of(body))
        return {"ETag": upload.parts[PartNumber][1]}

    def complete_multipart_upload(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        MultipartUpload: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> Answer:
        """Make the object of the parts that are named, on the same conditions as a write."""
        operation = "CompleteMultipartUpload"
        upload = self._upload(operation, Bucket, Key, UploadId)
        parts = rules.chosen_parts(upload, (MultipartUpload or {}).get("Parts", ()))
        body, etag = b"".join(part for part, _ in parts), etag_of_parts([etag for _, etag in parts])
        bucket = self._buckets[Bucket]
        answer = self._write(operation, bucket, Key, Thing(body, etag, self._now(), upload.metadata), rest)
        del bucket.uploads[UploadId]
        return {"Bucket": Bucket, "Key": Key, **answer}

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> Answer:
        """Forget the parts."""
        self._upload("AbortMultipartUpload", Bucket, Key, UploadId)
        del self._buckets[Bucket].uploads[UploadId]
        return {}

    def _upload(self, operation: str, bucket: str, key: str, upload_id: str) -> Upload:
        found = self._bucket(operation, bucket).uploads.get(upload_id)
        if not found or found.key != key:
            words = "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart \
upload might have been aborted or completed."
            raise refused("s3", operation, "NoSuchUpload", words, status=404)
        return found


class Pages:
    """A paginator of boto3: the pages of a listing, each fetched when it is come to."""

    def __init__(self, call: Callable[..., Answer]) -> None:
        self._call = call

    def paginate(self, *, PaginationConfig: Mapping[str, int] | None = None, **given: Any) -> Iterator[Answer]:
        """Yield page after page."""
        if size := (PaginationConfig or {}).get("PageSize"):
            given["MaxKeys"] = size
        while True:
            page = self._call(**given)
            yield page
            if not page["IsTruncated"]:
                return
            given["ContinuationToken"] = page["NextContinuationToken"]
