"""What S3 and R2 promise about listings, parts and buckets."""

from __future__ import annotations

from lrtkit.wire.errors import Conflict, NotFound
from tests.conformance.desks import Bucket
from tests.conformance.rules import refused, rule

MEBIBYTE = 1024 * 1024


@rule("s3", relied=True)
def a_listing_is_in_the_order_of_keys(desk: Bucket) -> None:
    """ListObjectsV2: lexicographical order of the UTF-8 bytes of the keys."""
    names = ["b", "a/b", "a", "B", "ü", "a.b", "a-b", "\U0001f9ea", "\uffee"]
    for name in names:
        desk.put(name)
    assert desk.names(desk.page()) == sorted(names, key=str.encode)


@rule("s3", relied=True)
def a_listing_has_what_begins_so(desk: Bucket) -> None:
    """ListObjectsV2 Prefix: limits the response to keys that begin with it, wherever slashes are."""
    for name in ("exp/b", "exp/a/c", "exp2/a", "other"):
        desk.put(name)
    assert desk.names(desk.page(Prefix="exp/")) == ["exp/a/c", "exp/b"]
    assert desk.names(desk.page(Prefix="ex")) == ["exp/a/c", "exp/b", "exp2/a"]
    assert desk.page(Prefix="nothing/")["KeyCount"] == 0


@rule("s3", relied=True)
def a_listing_tells_size_and_time(desk: Bucket) -> None:
    """ListObjectsV2: key, size, ETag and LastModified."""
    desk.put("a", b"12345")
    (found,) = desk.page()["Contents"]
    assert found["Size"] == 5
    assert abs(found["LastModified"].timestamp() - desk.time.now()) < 60


@rule("s3", relied=True)
def a_listing_is_up_to_date(desk: Bucket) -> None:
    """Consistency: a list after a write or a delete shows it."""
    for name in "abc":
        desk.put(name)
        assert desk.names(desk.page())[-1] == name
    desk.delete("b")
    assert desk.names(desk.page()) == ["a", "c"]


@rule("s3", relied=True)
def a_listing_goes_on_page_by_page(desk: Bucket) -> None:
    """ListObjectsV2: IsTruncated and NextContinuationToken lead to the next page."""
    for name in "abcde":
        desk.put(name)
    first = desk.page(MaxKeys=2)
    assert (desk.names(first), first["IsTruncated"], first["KeyCount"]) == (["a", "b"], True, 2)
    second = desk.page(MaxKeys=2, ContinuationToken=first["NextContinuationToken"])
    third = desk.page(MaxKeys=2, ContinuationToken=second["NextContinuationToken"])
    assert (desk.names(second), desk.names(third), third["IsTruncated"]) == (["c", "d"], ["e"], False)


@rule("s3", relied=True, takes_s=3)
def a_page_has_a_thousand_keys_at_most(desk: Bucket) -> None:
    """ListObjectsV2: up to 1,000 keys a page; a paginator finds all."""
    for number in range(1003):
        desk.put(f"{number:04}", b"")
    assert len(desk.names(desk.page())) == 1000
    pages = desk.client.get_paginator("list_objects_v2").paginate(Bucket=desk.name, Prefix=desk.prefix)
    assert [name for page in pages for name in desk.names(page)] == [f"{number:04}" for number in range(1003)]


@rule("s3")
def a_listing_can_start_after_a_key(desk: Bucket) -> None:
    """ListObjectsV2 StartAfter: starts listing after this key, which need not exist."""
    for name in "abd":
        desk.put(name)
    assert desk.names(desk.page(StartAfter=desk.key("a"))) == ["b", "d"]
    assert desk.names(desk.page(StartAfter=desk.key("c"))) == ["d"]


@rule("s3")
def a_listing_can_stop_at_slashes(desk: Bucket) -> None:
    """ListObjectsV2 Delimiter: keys with the same string up to it are rolled up into CommonPrefixes."""
    for name in ("a", "b/1", "b/2", "c/d/1", "e"):
        desk.put(name)
    page = desk.page(Delimiter="/")
    assert desk.names(page) == ["a", "e"]
    assert [each["Prefix"].removeprefix(desk.prefix) for each in page["CommonPrefixes"]] == ["b/", "c/"]
    assert page["KeyCount"] == 4


@rule("s3")
def rolled_up_keys_count_towards_the_page(desk: Bucket) -> None:
    """ListObjectsV2: CommonPrefixes count as one return each against MaxKeys, and are not told twice."""
    for name in ("a/1", "a/2", "b/1", "c"):
        desk.put(name)
    first = desk.page(Delimiter="/", MaxKeys=1)
    second = desk.page(Delimiter="/", MaxKeys=2, ContinuationToken=first["NextContinuationToken"])
    assert [each["Prefix"] for each in first["CommonPrefixes"]] == [desk.key("a/")]
    assert [each["Prefix"] for each in second["CommonPrefixes"]] == [desk.key("b/")]
    assert desk.names(second) == ["c"]


@rule("s3")
def many_are_deleted_at_once(desk: Bucket) -> None:
    """DeleteObjects: up to 1,000 keys in one request; those that are not there count as deleted."""
    for name in "abc":
        desk.put(name)
    objects = [{"Key": desk.key(name)} for name in "abx"]
    answer = desk.client.delete_objects(Bucket=desk.name, Delete={"Objects": objects})
    assert len(answer["Deleted"]) == 3
    assert desk.names(desk.page()) == ["c"]


@rule("s3")
def parts_become_an_object(desk: Bucket) -> None:
    """CompleteMultipartUpload: the parts in ascending order of their numbers, under an ETag of its own form."""
    whole = desk.parts("a", [b"x" * 5 * MEBIBYTE, b"y"])
    assert not desk.names(desk.page())
    etag = desk.client.complete_multipart_upload(**whole)["ETag"]
    assert etag.endswith('-2"')
    assert desk.get("a", Range=f"bytes={5 * MEBIBYTE - 1}-") == b"xy"


@rule("s3")
def parts_are_completed_on_a_condition(desk: Bucket) -> None:
    """CompleteMultipartUpload If-None-Match *: 412 where the object exists by now."""
    whole = desk.parts("a", [b"x"])
    desk.put("a", b"other")
    desk.time.wait(1.1)
    with refused("PreconditionFailed", kind=Conflict):
        desk.client.complete_multipart_upload(**whole, IfNoneMatch="*")
    assert desk.get("a") == b"other"


@rule("s3")
def a_part_has_five_mebibytes_at_least(desk: Bucket) -> None:
    """EntityTooSmall: each part but the last must be at least 5 MB."""
    whole = desk.parts("a", [b"x", b"y"])
    with refused("EntityTooSmall"):
        desk.client.complete_multipart_upload(**whole)


@rule("s3")
def parts_are_named_in_order(desk: Bucket) -> None:
    """InvalidPartOrder: the list of parts was not in ascending order."""
    whole = desk.parts("a", [b"x" * 5 * MEBIBYTE, b"y"])
    whole["MultipartUpload"]["Parts"].reverse()
    with refused("InvalidPartOrder"):
        desk.client.complete_multipart_upload(**whole)


@rule("s3")
def parts_are_named_by_their_etags(desk: Bucket) -> None:
    """InvalidPart: the part might not have been uploaded, or its ETag might not match."""
    whole = desk.parts("a", [b"x"])
    whole["MultipartUpload"]["Parts"][0]["ETag"] = '"9dd4e461268c8034f5c8564e155c67a7"'
    with refused("InvalidPart"):
        desk.client.complete_multipart_upload(**whole)


@rule("s3")
def an_upload_that_was_given_up_is_gone(desk: Bucket) -> None:
    """AbortMultipartUpload: no additional parts can be uploaded with that id; NoSuchUpload."""
    whole = desk.parts("a", [b"x"])
    where = {name: whole[name] for name in ("Bucket", "Key", "UploadId")}
    desk.client.abort_multipart_upload(**where)
    with refused("NoSuchUpload"):
        desk.client.upload_part(**where, PartNumber=1, Body=b"x")
    assert not desk.names(desk.page())


@rule("s3", relied=True)
def a_bucket_can_be_looked_for(desk: Bucket) -> None:
    """HeadBucket: 200 where it exists, 404 where it does not."""
    desk.client.head_bucket(Bucket=desk.name)
    with refused(kind=NotFound):
        desk.client.head_bucket(Bucket=f"{desk.name}-gone")


@rule("s3")
def a_bucket_with_objects_stays(desk: Bucket) -> None:
    """DeleteBucket: all objects must be deleted before the bucket can be; BucketNotEmpty, 409."""
    full = {"Bucket": f"{desk.name}-full"}
    desk.client.create_bucket(**full)
    desk.client.put_object(**full, Key="a")
    with refused("BucketNotEmpty"):
        desk.client.delete_bucket(**full)
    desk.client.delete_object(**full, Key="a")
    desk.client.delete_bucket(**full)


@rule("s3")
def the_name_of_a_bucket_is_plain(desk: Bucket) -> None:
    """InvalidBucketName: 3 to 63 of lower-case letters, numbers, dots and hyphens."""
    for odd in ("Upper", "ab", "a_b"):
        with refused("InvalidBucketName"):
            desk.client.create_bucket(Bucket=odd)
