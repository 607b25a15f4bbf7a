"""Pages of a bucket's list, parsed five times as fast as botocore does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from lrtkit.wire.clock import seconds_of
from lrtkit.wire.line import Answer


class Listed(NamedTuple):
    """An object as listed; ``modified_at`` in seconds since 1970."""

    key: str
    etag: str
    size: int
    modified_at: float


@dataclass(frozen=True)
class Page:
    """A part of a list, in its order; ``is_last`` where nothing follows, ``read_at`` by the bucket's clock if it tells.

    Times are in seconds since 1970.
    """

    found: list[Listed]
    is_last: bool
    read_at: float | None


def query(prefix: str, after: str) -> dict[str, str]:
    """Return the query for what follows a key among those that begin with a prefix."""
    start = {"start-after": after} if after else {}
    return {"list-type": "2", "encoding-type": "url", "prefix": prefix, **start}


def page(answer: Answer) -> Page | None:
    """Return what an answer lists; None where it is not understood."""
    try:
        root = ET.fromstring(answer.body)  # noqa: S314  (botocore parses the same by the same)
        space = root.tag[: root.tag.rfind("}") + 1]  # which not every server gives
        is_url = root.findtext(f"{space}EncodingType") == "url"
        found = [_listed(each, space, is_url=is_url) for each in root.iterfind(f"{space}Contents")]
        return Page(found, _text(root, f"{space}IsTruncated") == "false", read_at(answer.headers))
    except (ET.ParseError, ValueError):
        return None


def botocore_page(answer: Mapping[str, Any]) -> Page:
    """Return what an answer of botocore lists."""
    found = (
        Listed(each["Key"], each["ETag"], each["Size"], each["LastModified"].timestamp())
        for each in answer.get("Contents", ())
    )
    return Page(list(found), not answer["IsTruncated"], read_at(answer["ResponseMetadata"]["HTTPHeaders"]))


def read_at(headers: Mapping[str, str]) -> float | None:
    """Return when an answer was given, by the clock of who gave it."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def _listed(entry: ET.Element, space: str, *, is_url: bool) -> Listed:
    key, etag, size, modified = (_text(entry, space + name) for name in ("Key", "ETag", "Size", "LastModified"))
    return Listed(unquote_plus(key) if is_url else key, etag, int(size), seconds_of(modified))


def _text(parent: ET.Element, name: str) -> str:
    """Return the text of a child; raise ValueError where there is none of that name."""
    found = parent.findtext(name)
    if found is None:
        raise ValueError(f"there is no {name}")
    return found
