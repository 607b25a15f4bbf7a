"""Jobs, their ids, fingerprints and message bodies."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.wire.errors import BadInput, PoisonMessage
from lrtkit.wire.job import Job, check_job_id, fingerprint, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_body_comes_back(fields: dict[str, Any]) -> None:
    """What a message says is what was put into it."""
    job = Job({**fields, "job_id": "exp/a"})
    assert parse(job.body) == job
    assert parse(job.body).fingerprint == job.fingerprint


def test_what_no_message_can_carry_is_escaped() -> None:
    """A job with such characters can be sent again, and stays the job that it was; others go as they are."""
    job = parse('{"job_id": "a", "odd": "\\ud800\\uffff", "ü": "ö"}')
    assert job.body.encode()
    assert "\uffff" not in job.body
    assert parse(job.body) == job
    assert parse('{"job_id":"a","ü":"ö"}').body == '{"job_id":"a","ü":"ö"}'


def test_fingerprint_is_of_what_is_computed() -> None:
    """Neither the name of a job nor the order of its fields changes it; any value does."""
    one = fingerprint({"job_id": "a", "steps": 1, "grid": {"x": 1, "y": 2}})
    assert one == fingerprint({"grid": {"y": 2, "x": 1}, "steps": 1, "job_id": "b"})
    assert one != fingerprint({"job_id": "a", "steps": 1.0, "grid": {"x": 1, "y": 2}})


def test_fingerprint_is_fixed() -> None:
    """Jobs without names are found again by later versions of the kit, and by other programs."""
    canonical = '{"steps":10,"ü":[true,null,0.5]}'.encode()
    assert fingerprint({"ü": [True, None, 0.5], "steps": 10}) == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize("job_id", ["a", "exp/a", "0", "exp/T=1.5/r_0-1", "x" * 128])
def test_usable_ids(job_id: str) -> None:
    """Ids are paths of plain names."""
    assert check_job_id(job_id) == job_id


@pytest.mark.parametrize(
    "job_id", ["", "/a", "a/", "a//b", "a/../b", ".", "a/.", "-a", "_a", "a b", "ä", "a\n", "x" * 129, 5, None, ["a"]]
)
def test_unusable_ids(job_id: object) -> None:
    """Ids that would leave their place in the bucket, or that SQS takes for no group, are refused by name."""
    with pytest.raises(BadInput, match=r"^job_id ") as caught:
        check_job_id(job_id)
    assert repr(job_id) in str(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the message is no JSON: "),
        ("{", "the message is no JSON: "),
        ('{"job_id": "a", "x": NaN}', "it holds NaN, which is no JSON value"),
        ('{"job_id": "a", "x": -Infinity}', "it holds -Infinity, which is no JSON value"),
        ("[" * 100_000, "the message is no JSON: "),
        ('{"job_id": "a", "x": -1e999}', "it holds the number -1e999, which is beyond what a float can hold"),
        (f'{{"job_id": "a", "timeout_seconds": {10**400}}}', "the message holds what no job can: "),
        ("[]", "the message is a JSON list, not an object"),
        ("7", "the message is a JSON int, not an object"),
        ("{}", "the message has no job_id"),
        ('{"job_id": "../a"}', "job_id '../a' must"),
        ('{"job_id": null}', "job_id must be text, not None"),
    ],
)
def test_poison(body: str, reason: str) -> None:
    """A body that is no job is told as such, whatever it is."""
    with pytest.raises(PoisonMessage) as caught:
        parse(body)
    assert reason in str(caught.value)


@pytest.mark.parametrize(("steps", "expected"), [(5, 5), (5.0, None), (True, None), ("5", None), (None, None)])
def test_steps(steps: object, expected: int | None) -> None:
    """Only a whole number is a number of steps."""
    assert Job({"job_id": "a", "steps": steps}).steps == expected


@pytest.mark.parametrize(
    ("limit", "expected"), [(60, 60.0), (0.5, 0.5), (0, None), (-1, None), ("60", None), (True, None)]
)
def test_timeout(limit: object, expected: float | None) -> None:
    """Only a positive number limits an attempt."""
    assert Job({"job_id": "a", "timeout_seconds": limit}).timeout_s == expected
