"""The bucket, on a server with conditional writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lrtkit.connection import Cloud
from lrtkit.wire import ledger
from lrtkit.wire.errors import Conflict, DamagedFile, NotFound, Unavailable
from lrtkit.wire.record import Record, State
from lrtkit.wire.s3 import Item, S3Store


def test_an_object_comes_back(cloud: Cloud) -> None:
    """What was put is there, with an ETag; what was not is None."""
    cloud.store.put("a/ü b", b"x")
    item = cloud.store.get("a/ü b")
    assert item is not None
    assert item.body == b"x"
    assert item.etag
    assert cloud.store.get("b") is None


def test_swap_creates_only_what_is_not_there(cloud: Cloud) -> None:
    """Of two who create, one wins."""
    etag = cloud.store.swap("a", b"1", None)
    assert cloud.store.get("a") == Item(b"1", etag)
    with pytest.raises(Conflict):
        cloud.store.swap("a", b"2", None)
    assert cloud.store.get("a") == Item(b"1", etag)


def test_swap_replaces_only_what_was_read(cloud: Cloud) -> None:
    """Of two who have read the same, one wins."""
    first = cloud.store.swap("a", b"1", None)
    second = cloud.store.swap("a", b"2", first)
    with pytest.raises(Conflict):
        cloud.store.swap("a", b"3", first)
    assert cloud.store.get("a") == Item(b"2", second)


def test_swap_whose_answer_was_lost(cloud: Cloud) -> None:
    """A write that is refused because it has happened already has happened."""
    first = cloud.store.swap("a", b"1", None)
    second = cloud.store.swap("a", b"2", first)
    assert cloud.store.swap("a", b"2", first) == second
    assert cloud.store.swap("a", b"2", None) == second


def test_swap_of_what_is_gone(cloud: Cloud) -> None:
    """An object that was deleted cannot be replaced."""
    etag = cloud.store.swap("a", b"1", None)
    cloud.store.delete(["a"])
    with pytest.raises((Conflict, NotFound)):
        cloud.store.swap("a", b"2", etag)


def test_changed(cloud: Cloud) -> None:
    """A look without reading tells whether an object is another or gone."""
    etag = cloud.store.swap("a", b"1", None)
    assert not cloud.store.changed("a", etag)
    cloud.store.put("a", b"2")
    assert cloud.store.changed("a", etag)
    cloud.store.delete(["a"])
    assert cloud.store.changed("a", etag)


def test_files_go_up_and_down(cloud: Cloud, tmp_path: Path) -> None:
    """A file of several parts is the same afterwards, and one that is not there is told."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 40_000)
    cloud.store.upload(source, "a/files/x")
    assert cloud.store.download("a/files/x", target)
    assert target.read_bytes() == source.read_bytes()
    assert not cloud.store.download("a/files/y", tmp_path / "none")


def test_listing(cloud: Cloud) -> None:
    """Objects under a prefix are listed in order, with the ETags that reading gives."""
    for key in ("exp/b", "exp/a", "exp2/a", "other"):
        cloud.store.put(key, key.encode())
    found = list(cloud.store.listed("exp/"))
    assert [(each.key, each.size) for each in found] == [("exp/a", 5), ("exp/b", 5)]
    item = cloud.store.get("exp/a")
    assert item is not None
    assert item.etag == found[0].etag
    assert found[0].modified_at > 0
    assert list(cloud.store.listed("nothing/")) == []


def test_listing_of_several_pages(cloud: Cloud) -> None:
    """More than a page of a thousand is listed whole."""
    for number in range(1005):
        cloud.store.put(f"exp/{number:04}", b"")
    assert [each.key for each in cloud.store.listed("exp/")] == [f"exp/{number:04}" for number in range(1005)]


def test_delete_of_what_is_not_there(cloud: Cloud) -> None:
    """Deleting twice is no error."""
    cloud.store.put("a", b"1")
    cloud.store.delete(["a", "b"])
    cloud.store.delete(["a"])
    assert cloud.store.get("a") is None


CALLS: list[Any] = [
    lambda store, _: store.get("a"),
    lambda store, _: store.put("a", b"1"),
    lambda store, _: store.swap("a", b"1", None),
    lambda store, _: list(store.listed("")),
    lambda store, path: store.upload(path, "a"),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_bucket_that_is_not_there(bare_cloud: Cloud, call: Any, tmp_path: Path) -> None:
    """No call takes a missing bucket for an empty one."""
    (tmp_path / "file").touch()
    with pytest.raises(NotFound, match=bare_cloud.store.bucket):
        call(bare_cloud.store, tmp_path / "file")


def test_a_bucket_that_does_not_answer(bare_cloud: Cloud) -> None:
    """A read that fails is a trouble, and never "no such object"."""
    store = S3Store(replace(bare_cloud.settings.bucket, endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="cannot read a in bucket"):
        store.get("a")


def test_the_ledger_fences(cloud: Cloud) -> None:
    """Of two who have read the same record, one changes it; what is no record is damage, what is not there is none."""
    entry = ledger.read(cloud.store, "exp/a")
    assert (entry.record, entry.etag) == (None, None)
    first = ledger.swap(cloud.store, "exp/a", entry, Record(State.WAITING))
    assert ledger.read(cloud.store, "exp/a") == first
    with pytest.raises(Conflict):
        ledger.swap(cloud.store, "exp/a", entry, Record(State.RUNNING))
    cloud.store.put("exp/b/checkpoint.json", b"{")
    with pytest.raises(DamagedFile, match=r"^exp/b/checkpoint\.json: the record is not readable"):
        ledger.read(cloud.store, "exp/b")


def test_the_ledger_sees_results(cloud: Cloud) -> None:
    """A result of the guide's worker is found without a record."""
    assert not ledger.has_result(cloud.store, "job-1")
    cloud.store.put("job-1/result.txt", b"15")
    assert ledger.has_result(cloud.store, "job-1")
