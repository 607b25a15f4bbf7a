"""Plans that would fail are told before they are paid for."""

from __future__ import annotations

import logging

import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.jobs import Work, foresee
from lrtkit.progress.pace import Past
from lrtkit.wire import keys
from lrtkit.wire.job import Job
from lrtkit.wire.record import Holder, Record, State

HOUR_S = 3600


def jobs(count: int, hours: int) -> Work:
    """Return jobs that take so long at a step a second."""
    work = Work()
    for number in range(count):
        work.add(Job({"job_id": f"exp/{number}", "steps": hours * HOUR_S}))
    return work


def past(*, rate: float | None = 1.0, saves: bool = True, open_hours: int = 0, running: int = 0) -> Past:
    return Past(rate, saves, open_hours * HOUR_S, running)


def test_more_than_the_queue_holds() -> None:
    """10,000 jobs of 5 hours on 100 replicas take 21 days; what runs already, and is still to be done, counts too."""
    told = [
        "the work takes about 21 days on 100 replicas, and the queue drops what it has held for 14. "
        "Try: 149 replicas or more, or submit in parts"
    ]
    assert foresee(jobs(10_000, 5), past(), 100) == told
    assert foresee(jobs(9_000, 5), past(open_hours=5_000, running=100)) == told
    assert foresee(jobs(10_000, 5), past(), 149) == []


def test_longer_than_a_lease_without_checkpoints() -> None:
    """A job of 13 hours needs checkpoints, one of 12 does not."""
    (told,) = foresee(jobs(1, 13), past(saves=False))
    assert told.startswith("the longest job takes about 13 h, its lease ends after 12, and no job of this experiment")
    assert foresee(jobs(1, 12), past(saves=False)) == foresee(jobs(1, 13), past()) == []


@pytest.mark.parametrize("nothing", [foresee(Work(), past(), 1), foresee(jobs(10_000, 5), past(rate=None), 1)])
def test_nothing_is_said_where_nothing_is_known(nothing: list[str]) -> None:
    """Without jobs, or without an earlier one that tells how long they take, there is no guess."""
    assert nothing == []


def test_submit_tells_it_before_it_sends(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    """The note is logged, is in the receipt, and holds nothing back."""
    record = Record(State.WAITING).claimed(Holder("w", "m"), fingerprint="f", steps=10, now="2026-11-24T10:00:00.000Z")
    cloud.store.put(keys.record("exp/old"), record.done(1, {}, now="2026-11-24T10:00:10.000Z").to_bytes())
    experiment = Experiment("exp", cloud)
    with caplog.at_level(logging.WARNING, "lrtkit"):
        receipt = experiment.submit([{"name": "long", "steps": 20 * 24 * HOUR_S}], replicas=1)
    assert [note.partition(",")[0] for note in receipt.attrs["notes"]] == [
        "the work takes about 20 days on 1 replicas",
        "the longest job takes about 480 h",
    ]
    assert caplog.messages[0].startswith("exp: the work takes about 20 days")
    assert receipt["outcome"].tolist() == ["sent"]
    assert experiment.submit([{"name": "long", "steps": 20 * 24 * HOUR_S}], replicas=1).attrs["notes"] == []
