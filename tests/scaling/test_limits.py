"""The limits that somebody asks for: quota, price, deadline, hours of the day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.scaling import Action, Policy, decide
from tests.scaling.cases import snapshot, steps

JOBS = snapshot(50, status="stopped")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_the_quota_leaves_only_so_many():
    """What other groups ask for is not there for this one, and its own replicas count as its own."""
    policy = Policy(max_replicas=100, heed_quota=True)
    assert decide(snapshot(50, status="stopped", replicas=3, quota_left=7), policy).replicas == 10
    assert "quota leaves 10" in str(decide(snapshot(50, status="stopped", replicas=3, quota_left=7), policy))
    assert decide(JOBS, policy).replicas == 50


def test_a_price_buys_only_so_many():
    """The dollars an hour are divided by the price of one replica."""
    policy = Policy(max_replicas=100, max_usd_per_hour=0.9)
    decision = decide(snapshot(50, status="stopped", usd_per_hour=0.09), policy)
    assert decision.replicas == 10
    assert "$0.9 an hour pay for 10 at $0.09 each" in str(decision)


def test_a_deadline_asks_for_no_more_than_it_needs():
    """Fifty jobs of an hour in ten hours and ten minutes of start-up need six, with a margin for interruptions."""
    policy = Policy(max_replicas=100, job_s=3600, finish_by=36_600)
    decision = decide(JOBS, policy)
    assert decision.replicas == 6
    assert "6 are enough to finish by 1970-01-01 10:10 UTC" in str(decision)


def test_a_deadline_that_cannot_be_kept_is_told():
    """With too few replicas the decision says how late the last job will be."""
    decision = decide(JOBS, Policy(max_replicas=4, job_s=3600, finish_by=36_600))
    assert decision.replicas == 4
    assert "the last job ends 3.0 h after 1970-01-01 10:10 UTC" in str(decision)


@given(jobs=st.integers(1, 500), job_s=st.floats(60, 40_000), left_h=st.floats(0.2, 100), running=st.integers(0, 3))
def test_what_is_asked_for_by_a_deadline_keeps_it(jobs, job_s, left_h, running):
    """Jobs are whole: where three and a half fit into the time that is left, a replica is counted on for three."""
    policy = Policy(max_replicas=500, step_limit=500, job_s=job_s, finish_by=3600 * left_h)
    decision = decide(snapshot(jobs, status="stopped", running=running), policy)
    assert "ends" not in str(decision) or decision.replicas == jobs


def test_a_deadline_that_is_over_holds_nothing_up():
    """Once the time has come, as many replicas as there may be finish soonest."""
    assert (
        decide(snapshot(50, status="stopped", at=99_999), Policy(max_replicas=20, job_s=60, finish_by=9)).replicas == 20
    )


@pytest.mark.parametrize(
    ("hours", "time", "replicas"),
    [
        ((22, 6), "2026-11-24T23:10", 10),
        ((22, 6), "2026-11-24T05:59", 10),
        ((22, 6), "2026-11-24T06:00", 0),
        ((8, 18), "2026-11-24T08:00", 10),
        ((8, 18), "2026-11-24T18:00", 0),
    ],
)
def test_hours_of_the_day_are_kept(hours, time, replicas):
    """Replicas are asked for within the hours, over midnight too."""
    assert decide(snapshot(50, status="stopped", at=at(time)), Policy(hours=hours)).replicas == replicas


def test_hours_are_those_of_a_place():
    """Six in the morning in Vienna is five in Greenwich."""
    seen = snapshot(50, status="stopped", at=at("2026-11-24T05:30"))
    assert decide(seen, Policy(hours=(22, 6))).replicas == 10
    assert decide(seen, Policy(hours=(22, 6), time_zone="Europe/Vienna")).replicas == 0


@pytest.mark.parametrize(
    ("time", "replicas"),
    [
        ("2026-03-29T00:59", 10),  # 01:59, and a minute later it is three
        ("2026-03-29T01:00", 0),
        ("2026-10-25T00:30", 0),  # half past two, for the first time
        ("2026-10-25T01:30", 0),  # and for the second
        ("2026-10-24T23:30", 10),
    ],
)
def test_hours_are_kept_when_the_clocks_are_changed(time, replicas):
    """Until two o'clock is until two o'clock, in the night that has none and in the one that has two."""
    policy = Policy(hours=(0, 2), time_zone="Europe/Vienna")
    assert decide(snapshot(50, status="stopped", at=at(time)), policy).replicas == replicas


def test_when_the_hours_are_over_what_waits_is_not_taken():
    """The group stops while jobs wait; with none waiting it lets the last ones finish."""
    day = at("2026-11-24T12:00")
    policy = Policy(hours=(22, 6))
    assert decide(snapshot(9, 5, replicas=10, at=day), policy).action is Action.STOP
    assert decide(snapshot(0, 5, replicas=10, at=day), policy).replicas == 5
    past = steps([snapshot(0, 5, replicas=10, at=day, at_work=5)])
    assert decide(snapshot(0, 4, replicas=5, at=day + 300, at_work=4), policy, past).replicas == 4
