"""Keys of the bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.wire import keys


def test_the_layout() -> None:
    """Keys lie where the contract says, and where the guide has them."""
    assert keys.record("exp/a") == "exp/a/checkpoint.json"
    assert keys.result("exp/a") == "exp/a/result.txt"
    assert keys.file("exp/a", "f00") == "exp/a/files/f00"
    assert keys.artifact("exp/a", 3, "plot.png") == "exp/a/artifacts/3/plot.png"
    assert keys.submission("exp", "t") == "exp/_submissions/t.jsonl"
    assert keys.sent(keys.submission("exp", "t")) == "exp/_submissions/t.sent"
    assert keys.readings("q.fifo", "t").startswith("_autoscaler/q.fifo/t")


@pytest.mark.parametrize(
    ("key", "job_id"),
    [
        (keys.record("exp/a"), "exp/a"),
        (keys.result("job-1"), "job-1"),
        (keys.artifact("exp/a", 1, "checkpoint.json"), None),
        (keys.file("exp/a", "result.txt"), None),
        (keys.submission("exp", "t"), None),
        ("checkpoint.json.bak", None),
        (keys.PROBE, None),
    ],
)
def test_whose_key_it_is(key: str, job_id: str | None) -> None:
    """Records and results tell their job; nothing else is taken for one."""
    assert keys.job_of(key) == job_id


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        (keys.file("a", "f0" * 32), True),
        (keys.record("a/files/b"), False),
        (keys.record("a/files/" + "f0" * 32), False),
        (keys.file("b", "f0" * 32), False),
    ],
)
def test_files_of_a_job(key: str, is_one: bool) -> None:
    """Only what is named by a hash is a file of the job, and not what a job with a longer id has."""
    assert keys.is_file("a", key) is is_one


@pytest.mark.parametrize(("key", "is_one"), [("exp/_submissions/t.jsonl", True), ("exp/a/log.jsonl", False)])
def test_lists_of_submissions(key: str, is_one: bool) -> None:
    """A file of lines elsewhere is no submission."""
    assert keys.is_submission(key) is is_one


@pytest.mark.parametrize("name", ["a", "a/b.txt", "a b", "ü"])
def test_names_of_files(name: str) -> None:
    """Relative paths stay in their folder."""
    assert keys.is_inside(name)


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../../b", "a/.", "a//b", "a\nb", "a\0", "x" * 600])
def test_names_that_would_leave(name: str) -> None:
    """Nothing that a record names can be written outside of the folder that it is for."""
    assert not keys.is_inside(name)


@given(st.from_regex(r"[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,2}", fullmatch=True))
def test_every_job_is_found_by_its_keys(job_id: str) -> None:
    """What was written under an id is found under it."""
    expected = None if not keys.RESERVED.isdisjoint(job_id.split("/")) else job_id
    assert keys.job_of(keys.record(job_id)) == keys.job_of(keys.result(job_id)) == expected
