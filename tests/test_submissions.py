"""The lists of what was submitted."""

from __future__ import annotations

from lrtkit import submissions
from lrtkit.connection import Cloud
from lrtkit.submissions import Line
from lrtkit.wire import keys
from lrtkit.wire.job import Job


def listed(*jobs: Job) -> bytes:
    return b"".join(Line(job.fields, job.fingerprint).written() for job in jobs)


def test_a_list_comes_back_as_it_went(cloud: Cloud) -> None:
    """Fields and fingerprints survive, with characters that end a line elsewhere than in bytes."""
    jobs = [Job({"job_id": f"exp/{number}", "text": "a\u2028b\x85c\nd", "steps": number}) for number in range(3)]
    key = submissions.announce(cloud.store, "exp", listed(*jobs))
    item = cloud.store.get(key)
    assert item is not None
    lines = submissions.parse(item.body)
    assert [line.fields for line in lines] == [job.fields for job in jobs]
    assert [line.fingerprint for line in lines] == [job.fingerprint for job in jobs]
    assert [line.job_id for line in lines] == ["exp/0", "exp/1", "exp/2"]


def test_lists_of_the_same_moment_do_not_overwrite_each_other(cloud: Cloud) -> None:
    """However fast they follow, different submissions are different objects, in the order of time."""
    written = [
        submissions.announce(cloud.store, "exp", listed(Job({"job_id": f"exp/{number}"}))) for number in range(5)
    ]
    found = [listed.key for listed in cloud.store.listed(keys.submissions("exp"))]
    assert sorted(set(written)) == written == found


def test_a_mark_lies_beside_its_list(cloud: Cloud) -> None:
    """Whether a list was sent is seen from the list of keys, without reading."""
    key = submissions.announce(cloud.store, "exp", listed(Job({"job_id": "exp/1"})))
    submissions.confirm(cloud.store, key)
    assert [listed.key for listed in cloud.store.listed("exp/")] == [key, keys.sent(key)]
    assert keys.sent(key) == key.removesuffix(".jsonl") + ".sent"
