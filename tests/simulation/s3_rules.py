"""What S3 refuses, in its own words, and the shapes of what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.objects import Thing, Upload
from tests.simulation.refusals import refused

LONGEST_KEY = 1024
LARGEST_METADATA = 8192
LEAST_PART = 5 * 1024 * 1024

Answer = dict[str, Any]


def check_size(operation: str, key: str, metadata: Mapping[str, str]) -> None:
    """Refuse a key or metadata that are too long."""
    if len(key.encode()) > LONGEST_KEY:
        raise refused("s3", operation, "KeyTooLongError", "Your key is too long")
    if sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items()) > LARGEST_METADATA:
        words = "Your metadata headers exceed the maximum allowed metadata size"
        raise refused("s3", operation, "MetadataTooLarge", words)


def chosen_parts(upload: Upload, named: Sequence[Mapping[str, Any]]) -> list[tuple[bytes, str]]:
    """Return the parts that are named, in the order of their numbers, each as long as it has to be."""
    operation, numbers = "CompleteMultipartUpload", [each["PartNumber"] for each in named]
    if not named:
        raise refused("s3", operation, "MalformedXML", "You must specify at least one part")
    if numbers != sorted(set(numbers)):
        raise refused("s3", operation, "InvalidPartOrder", "The list of parts was not in ascending order.")
    for each in named:
        if upload.parts.get(each["PartNumber"], (b"", ""))[1].strip('"') != each["ETag"].strip('"'):
            words = "One or more of the specified parts could not be found."
            raise refused("s3", operation, "InvalidPart", words)
    parts = [upload.parts[number] for number in numbers]
    if any(len(body) < LEAST_PART for body, _ in parts[:-1]):
        words = "Your proposed upload is smaller than the minimum allowed size"
        raise refused("s3", operation, "EntityTooSmall", words)
    return parts


def no_key(operation: str) -> ClientError:
    """Return the error about a key that is not there."""
    return refused("s3", operation, "NoSuchKey", "The specified key does not exist.", status=404)


def not_so(operation: str) -> ClientError:
    """Return the error about a condition that does not hold."""
    words = "At least one of the pre-conditions you specified did not hold"
    return refused("s3", operation, "PreconditionFailed", words, status=412)


def matches(etag: str, thing: Thing) -> bool:
    """Tell whether a thing is the one of this ETag."""
    return etag == "*" or etag.strip('"') == thing.etag.strip('"')


def part_of(body: bytes, wanted: str) -> bytes:
    """Return the bytes of a range such as ``bytes=0-99``."""
    if not wanted:
        return body
    first, last = wanted.removeprefix("bytes=").split("-")
    start = int(first) if first else max(0, len(body) - int(last))
    if start >= len(body):
        raise refused("s3", "GetObject", "InvalidRange", "The requested range is not satisfiable", status=416)
    return body[start : int(last) + 1 if first and last else None]


def described(thing: Thing, size: int) -> Answer:
    """Return what is told of an object beside its body."""
    return {
        "ETag": thing.etag,
        "ContentLength": size,
        "LastModified": time_of(thing.written),
        "Metadata": dict(thing.metadata),
    }


def listed(key: str, thing: Thing) -> Answer:
    """Return an object as a listing has it."""
    return {"Key": key, "ETag": thing.etag, "Size": len(thing.body), "LastModified": time_of(thing.written)}


def time_of(seconds: float) -> datetime:
    """Return a time in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC)


def token(key: str) -> str:
    """Return what a listing goes on with."""
    return key.encode().hex()


def key_of(token: str) -> str:
    """Return the key that a listing goes on after."""
    return bytes.fromhex(token).decode()


def bytes_of(body: Any) -> bytes:
    """Return what is to be written: bytes as they are, text, or what a file has."""
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else bytes(body.read() if hasattr(body, "read") else body)
