"""What S3 and R2 promise about single objects: reading, writing, and writing on a condition."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from botocore.exceptions import ClientError

from lrtkit.wire.errors import BadInput, Conflict, NotFound, Throttled
from tests.conformance.desks import Bucket, at_once
from tests.conformance.rules import refused, rule

BODIES = [str(place).encode() for place in range(8)]
APART_S = 1.1
"""R2 takes one write a second to a key."""


@rule("s3", relied=True)
def an_object_comes_back_as_it_was_put(desk: Bucket) -> None:
    """GetObject: body and ETag are those of the PutObject."""
    body = bytes(range(256))
    etag = desk.put("a", body)
    answer = desk.client.get_object(Bucket=desk.name, Key=desk.key("a"))
    assert (answer["Body"].read(), answer["ETag"], answer["ContentLength"]) == (body, etag, 256)


@rule("s3", relied=True)
def an_object_can_be_empty(desk: Bucket) -> None:
    """PutObject: a body of no bytes is an object."""
    desk.put("a", b"")
    assert desk.get("a") == b""


@rule("s3", relied=True)
def a_write_is_seen_at_once(desk: Bucket) -> None:
    """Consistency: strong read-after-write for puts, overwrites and deletes."""
    desk.put("a", b"1")
    assert desk.get("a") == b"1"
    desk.time.wait(APART_S)
    desk.put("a", b"2")
    assert desk.get("a") == b"2"
    desk.delete("a")
    with refused("NoSuchKey"):
        desk.get("a")


@rule("s3", relied=True)
def what_is_not_there_is_no_such_key(desk: Bucket) -> None:
    """GetObject: NoSuchKey, 404; the one answer that the kit takes for "nothing there yet"."""
    with refused("NoSuchKey", kind=NotFound):
        desk.get("a")


@rule("s3", relied=True)
def what_is_not_there_has_no_head(desk: Bucket) -> None:
    """HeadObject: 404, and no body that could say more."""
    with refused("404"):
        desk.client.head_object(Bucket=desk.name, Key=desk.key("a"))


@rule("s3", relied=True)
def a_bucket_that_is_not_there_is_told(desk: Bucket) -> None:
    """NoSuchBucket, 404: never taken for a missing key."""
    gone = {"Bucket": f"{desk.name}-gone", "Key": "a"}
    calls = (desk.client.get_object, desk.client.put_object, desk.client.delete_object)
    for call in calls:
        with refused("NoSuchBucket", kind=NotFound):
            call(**gone)
    with refused("NoSuchBucket", kind=NotFound):
        desk.client.list_objects_v2(Bucket=gone["Bucket"])


@rule("s3")
def the_etag_is_the_md5_of_the_body(desk: Bucket) -> None:
    """ETag: for an object that was put in one piece, the MD5 digest, in quotes."""
    assert desk.put("a", b"x") == f'"{hashlib.md5(b"x", usedforsecurity=False).hexdigest()}"'


@rule("s3", relied=True)
def the_etag_is_the_same_wherever_it_is_read(desk: Bucket) -> None:
    """ETag: PutObject, GetObject, HeadObject and ListObjectsV2 tell the same."""
    etag = desk.put("a")
    head = desk.client.head_object(Bucket=desk.name, Key=desk.key("a"))
    assert etag == head["ETag"] == desk.page()["Contents"][0]["ETag"]


@rule("s3", relied=True)
def if_none_match_creates_once(desk: Bucket) -> None:
    """PutObject If-None-Match *: uploads only if the key does not exist, otherwise 412 Precondition Failed."""
    desk.put("a", b"1", IfNoneMatch="*")
    with refused("PreconditionFailed", kind=Conflict):
        desk.put("a", b"2", IfNoneMatch="*")
    assert desk.get("a") == b"1"


@rule("s3", relied=True)
def if_none_match_creates_again_after_a_delete(desk: Bucket) -> None:
    """PutObject If-None-Match *: a deleted object does not exist."""
    desk.put("a", b"1", IfNoneMatch="*")
    desk.delete("a")
    desk.time.wait(APART_S)
    desk.put("a", b"2", IfNoneMatch="*")
    assert desk.get("a") == b"2"


@rule("s3", relied=True)
def if_match_replaces_what_was_read(desk: Bucket) -> None:
    """PutObject If-Match: uploads only if the ETag of the object matches, otherwise 412."""
    first = desk.put("a", b"1")
    desk.time.wait(APART_S)
    second = desk.put("a", b"2", IfMatch=first)
    desk.time.wait(APART_S)
    with refused("PreconditionFailed", kind=Conflict):
        desk.put("a", b"3", IfMatch=first)
    assert desk.get("a") == b"2"
    desk.put("a", b"3", IfMatch=second)


@rule("s3")
def if_match_of_nothing_is_no_such_key(desk: Bucket) -> None:
    """PutObject If-Match: 404 when there is no object of that name."""
    with refused("NoSuchKey"):
        desk.put("a", IfMatch='"9dd4e461268c8034f5c8564e155c67a6"')


@rule("s3", relied=True)
def if_match_of_nothing_writes_nothing(desk: Bucket) -> None:
    """PutObject If-Match: an object that was deleted cannot be replaced, whatever the code."""
    etag = desk.put("a")
    desk.delete("a")
    desk.time.wait(APART_S)
    with refused():
        desk.put("a", IfMatch=etag)
    with refused("NoSuchKey"):
        desk.get("a")


@rule("s3", relied=True)
def of_writers_that_race_one_wins(desk: Bucket) -> None:
    """Conditional writes: of concurrent ones the first to finish succeeds, the others get 412 or 409."""
    etag = desk.put("a")
    desk.time.wait(APART_S)
    found = at_once([partial(desk.put, "a", body, IfMatch=etag) for body in BODIES])
    won = [body for body, each in zip(BODIES, found, strict=True) if isinstance(each, str)]
    codes = {each.response["Error"]["Code"] for each in found if isinstance(each, ClientError)}
    assert len(won) == 1, found
    assert codes <= {"PreconditionFailed", "ConditionalRequestConflict"}, codes
    assert desk.get("a") == won[0]


@rule("s3", relied=True)
def of_creators_that_race_one_wins(desk: Bucket) -> None:
    """Conditional writes: the same for If-None-Match."""
    found = at_once([partial(desk.put, "a", body, IfNoneMatch="*") for body in BODIES])
    assert sum(isinstance(each, str) for each in found) == 1, found


@rule("s3", relied=True)
def a_key_takes_one_write_a_second(desk: Bucket) -> None:
    """R2 limits: 1 concurrent write per second to one key, then 429."""
    desk.put("a", b"1")
    desk.time.wait(0.3)
    with refused("TooManyRequests", kind=Throttled):
        desk.put("a", b"2")
    assert desk.get("a") == b"1"
    desk.time.wait(APART_S)
    desk.put("a", b"2")


@rule("s3")
def a_part_of_an_object_can_be_read(desk: Bucket) -> None:
    """GetObject Range: downloads the specified range bytes."""
    desk.put("a", b"0123456789")
    assert [desk.get("a", Range=part) for part in ("bytes=2-4", "bytes=7-", "bytes=-2")] == [b"234", b"789", b"89"]
    with refused("InvalidRange"):
        desk.get("a", Range="bytes=10-")


@rule("s3")
def a_read_can_be_on_a_condition(desk: Bucket) -> None:
    """GetObject If-Match, If-None-Match: 412 Precondition Failed, 304 Not Modified."""
    etag = desk.put("a")
    assert desk.get("a", IfMatch=etag) == b"x"
    with refused("PreconditionFailed"):
        desk.get("a", IfMatch='"other"')
    with refused("304"):
        desk.get("a", IfNoneMatch=etag)


@rule("s3", relied=True)
def a_key_can_have_any_characters(desk: Bucket) -> None:
    """Object keys: a sequence of Unicode characters; what is put under one is listed and read under it."""
    names = ["a b+c", "ü/ß", "x=1&y", "%41", "~'()*!"]
    for name in names:
        desk.put(name, name.encode())
    assert all(desk.get(name) == name.encode() for name in names)
    assert sorted(desk.names(desk.page())) == sorted(names)
    assert all(unquote(name) not in names for name in names if "%" in name)


@rule("s3")
def a_key_has_1024_bytes_at_most(desk: Bucket) -> None:
    """Object keys: up to 1,024 bytes of UTF-8, then KeyTooLongError."""
    room = 1024 - len(desk.prefix)
    parts = "/".join(["x" * 199] * 6)
    desk.put(parts[:room])
    with refused("KeyTooLongError", kind=BadInput):
        desk.put(parts[: room - 2] + "xüü")


@rule("s3")
def metadata_come_back(desk: Bucket) -> None:
    """PutObject: user-defined metadata are returned with the object."""
    desk.put("a", Metadata={"made-by": "hand"})
    head = desk.client.head_object(Bucket=desk.name, Key=desk.key("a"))
    assert head["Metadata"] == {"made-by": "hand"}


@rule("s3")
def metadata_have_8_kilobytes_at_most(desk: Bucket) -> None:
    """R2 limits: object metadata size 8,192 bytes (S3 itself: 2 KB)."""
    desk.put("a", Metadata={"n": "x" * 8191})
    desk.time.wait(APART_S)
    with refused("MetadataTooLarge"):
        desk.put("a", Metadata={"n": "x" * 8192})


@rule("s3", relied=True)
def what_is_not_there_can_be_deleted(desk: Bucket) -> None:
    """DeleteObject: without such an object it has no effect, and succeeds."""
    desk.put("a")
    desk.delete("a")
    desk.delete("a")


@rule("s3", relied=True)
def a_file_of_several_parts_goes_up_and_down(desk: Bucket) -> None:
    """boto3 upload_file and download_file: files above 8 MiB go in parts, and come back whole."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        source.write_bytes(bytes(range(256)) * 36_000)
        desk.client.upload_file(str(source), desk.name, desk.key("a"))
        desk.client.download_file(desk.name, desk.key("a"), str(target))
        assert source.read_bytes() == target.read_bytes()
        with refused(kind=NotFound):
            desk.client.download_file(desk.name, desk.key("b"), str(target))
