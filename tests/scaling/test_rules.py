"""How many replicas there should be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrtkit.scaling import Action, Outcome, Policy, Step, decide
from lrtkit.scaling.limits import firm, tightest
from tests.scaling.cases import STATUSES, UP, policies, snapshot, snapshots, step, steps


@pytest.mark.parametrize(
    ("seen", "replicas", "action"),
    [
        (snapshot(27, status="stopped"), 10, Action.START),
        (snapshot(27, status="succeeded"), 10, Action.START),
        (snapshot(27, status="pending"), 10, Action.START),
        (snapshot(3, status="failed"), 3, Action.START),
        (snapshot(3, status="hibernating"), 3, Action.START),
        (snapshot(3, status="hibernating", replicas=1, running=1), 3, Action.SCALE),
        (snapshot(5, 4, replicas=4), 9, Action.SCALE),
        (snapshot(0, 4, replicas=9, status="deploying"), 4, Action.SCALE),
        (snapshot(2, 2, replicas=4), 4, Action.NOTHING),
        (snapshot(replicas=4, status="pending"), 0, Action.STOP),
        (snapshot(replicas=4, status="hibernating"), 0, Action.STOP),
        (snapshot(replicas=0), 0, Action.STOP),
        (snapshot(status="stopped"), 0, Action.NOTHING),
        (snapshot(status="succeeded"), 0, Action.NOTHING),
        (snapshot(status="failed"), 0, Action.NOTHING),
    ],
)
def test_each_state_of_the_group_has_its_action(seen, replicas, action):
    """Open jobs, the bounds and the state of the group decide together."""
    decision = decide(seen, Policy(max_replicas=10))
    assert (decision.replicas, decision.action) == (replicas, action)


@pytest.mark.parametrize(
    ("seen", "policy", "words"),
    [
        (snapshot(5, 4, replicas=4), Policy(max_replicas=10), "5 jobs wait and 4 run: from 4 replicas to 9"),
        (snapshot(5, status="stopped"), Policy(max_replicas=3), "5 would be of use, but the maximum is 3"),
        (snapshot(5, status="stopped"), Policy(8, 9), "the minimum is 8"),
        (snapshot(0, 4, replicas=9, at_work=7), Policy(), "from 9 replicas to 7; 7 are busy"),
        (snapshot(replicas=2), Policy(2, 6, hours=(8, 18)), "2 would be of use, but it is not between 8 and 18"),
        (snapshot(9, 2, replicas=2), Policy(2, 6, hours=(8, 18)), "2 replicas, stop it; 11 would be"),
        (snapshot(300, status="stopped"), Policy(max_replicas=500), "300 in the end, 100 in a step"),
        (
            snapshot(9, 4, replicas=8, coming=3),
            Policy(max_replicas=8),
            "8 replicas, 3 of them coming, nothing",
        ),
        (snapshot(9, status="failed"), Policy(), "look at the group's logs and its image"),
        (snapshot(1, 0, replicas=1, status="stopped"), Policy(), "1 job waits and 0 run: the group is stopped"),
    ],
)
def test_a_decision_says_why(seen, policy, words):
    """The sentences have the numbers that were seen, and what kept the number from being another."""
    assert words in str(decide(seen, policy))


def test_the_guides_rule_can_be_had_by_name():
    """Waiting and running jobs between the bounds, at once down to the bare number and to zero, busy or not."""
    guide = Policy.guide(1, 20)
    assert decide(snapshot(3, 4, replicas=20, at_work=9), guide).replicas == 7
    assert decide(snapshot(replicas=4), guide).replicas == 1
    assert decide(snapshot(replicas=4), Policy.guide()).action is Action.STOP
    assert decide(snapshot(900, status="stopped"), guide).replicas == 20


def test_several_jobs_can_share_a_replica():
    """With four jobs a replica, ten jobs get three."""
    assert decide(snapshot(10, status="stopped"), Policy(jobs_per_replica=4)).replicas == 3


def test_what_is_coming_counts():
    """Replicas on their way are part of what is asked for: a second reading asks for no more."""
    seen = snapshot(50, 0, replicas=50, coming=50)
    assert decide(seen, Policy(max_replicas=100)).action is Action.NOTHING


def test_replicas_that_would_come_too_late_are_not_asked_for():
    """Ten that run do forty jobs of five minutes in the twenty minutes that another takes to come."""
    policy = Policy(max_replicas=100, job_s=300, startup_s=1200)
    assert decide(snapshot(20, 10, replicas=10, running=10), policy).replicas == 10
    assert decide(snapshot(90, 10, replicas=10, running=10), policy).replicas == 60
    assert "20 more would come after" in str(decide(snapshot(20, 10, replicas=10, running=10), policy))


def test_where_the_need_swings_it_shrinks_to_the_most_of_the_cool_down():
    """A replica is kept for as long as it may be needed again: the most of twenty minutes, where jobs keep coming."""
    past = [snapshot(0, 9, replicas=9, at=0), snapshot(0, 6, replicas=9, at=600), snapshot(2, 6, replicas=9, at=900)]
    now = snapshot(0, 4, replicas=9, at=1100, at_work=4)
    assert decide(now, Policy(), steps(past)).replicas == 9
    assert decide(replace(now, at=1300), Policy(), steps(past)).replicas == 8
    assert "8 were needed a moment ago" in str(decide(replace(now, at=1300), Policy(), steps(past)))
    assert decide(replace(now, at=2200), Policy(), steps(past)).replicas == 4
    assert decide(now, Policy(cool_down_s=60), steps(past)).replicas == 4


def test_what_only_falls_is_followed_at_once():
    """At the end of a set of jobs no replica is kept for others that will not come."""
    past = [snapshot(0, 9, replicas=9, at=0, at_work=9), snapshot(0, 6, replicas=9, at=300, at_work=6)]
    assert decide(snapshot(0, 4, replicas=9, at=400, at_work=4), Policy(), steps(past)).replicas == 4


def test_a_fall_of_the_counts_alone_is_believed_the_second_time():
    """Where no worker says that it is busy, one reading of approximate counts takes no replica away."""
    past = [snapshot(0, 30, replicas=30, at=0)]
    fallen = decide(snapshot(0, 2, replicas=30, at=60), Policy(max_replicas=50), steps(past))
    assert (fallen.replicas, fallen.action) == (30, Action.NOTHING)
    assert "30 were busy a moment ago" in str(fallen)
    assert decide(snapshot(replicas=30, at=60), Policy(max_replicas=50), steps(past)).replicas == 30
    past += [snapshot(0, 2, replicas=30, at=60)]
    assert decide(snapshot(0, 2, replicas=30, at=120), Policy(max_replicas=50), steps(past)).replicas == 2


def test_zero_has_to_last_for_two_leases():
    """One empty reading is not believed; it keeps a replica, and stops the group after two leases of them."""
    first, second = snapshot(replicas=4, at=1000), snapshot(replicas=1, at=1239)
    assert decide(first, Policy()).replicas == 1
    assert decide(second, Policy(), steps([first])).action is Action.NOTHING
    assert decide(replace(second, at=1240), Policy(), steps([first, second])).action is Action.STOP


def test_a_job_in_between_begins_the_wait_anew():
    """Zero is what all readings of two leases have said, not the first and the last."""
    past = steps([snapshot(replicas=1, at=0), snapshot(1, replicas=1, at=120)])
    assert decide(snapshot(replicas=1, at=300), Policy(), past).action is Action.NOTHING


def test_what_was_seen_of_another_group_does_not_count():
    """Two groups can work at one queue: a start of the one, and its readings, are none of the other."""
    failed = snapshot(3, status="failed", at=100, group="a")
    past = [step(failed, Action.START)]
    assert decide(replace(failed, at=400), Policy(), past).action is Action.NOTHING
    assert decide(replace(failed, at=400, group="b"), Policy(), past).action is Action.START


def test_readings_from_the_future_do_not_count():
    """A clock that was set back has left readings that nobody can have made yet."""
    ahead = steps([snapshot(replicas=1, at=at) for at in (3600, 3900, 4200)])
    assert decide(snapshot(replicas=1, at=300), Policy(), ahead).action is Action.NOTHING
    past = [*steps([snapshot(replicas=1, at=0)]), *ahead]
    assert decide(snapshot(replicas=1, at=300), Policy(), past).action is Action.STOP


def test_the_workers_lease_counts():
    """Workers with a short lease are believed sooner."""
    first = snapshot(replicas=1, at=0, lease_s=6)
    assert decide(replace(first, at=12), Policy(), steps([first])).action is Action.STOP


def test_an_open_record_holds_up_the_end_for_a_while_only():
    """A record that has not ended speaks against an empty queue; one without a message does not for ever."""
    past = steps([snapshot(replicas=1, at=at) for at in (0, 300, 600)])
    seen = snapshot(replicas=1, at=600, running=1, open_records=1)
    assert "empty for 600 s, but 1 record not ended" in str(decide(seen, Policy(), past))
    assert decide(seen, Policy(), past).replicas == 1
    assert decide(replace(seen, at=900), Policy(), past).action is Action.STOP


def test_replicas_that_say_they_are_busy_hold_up_the_end_for_a_while_only():
    """A queue that reads empty may be the wrong one; a word that was never taken back must not cost for ever."""
    past = steps([snapshot(replicas=5, at=at, at_work=3) for at in (0, 300, 600)])
    seen = snapshot(replicas=5, at=600, running=5, at_work=3)
    assert decide(seen, Policy(), past).replicas == 3
    assert "empty for 600 s, but 3 say that they are busy" in str(decide(seen, Policy(), past))
    assert decide(replace(seen, at=900), Policy(), past).action is Action.STOP


@pytest.mark.parametrize("lease_s", [1, 120, 1800, 43_200])
@pytest.mark.parametrize("every_s", [300, 1800])
@pytest.mark.parametrize("at_work", [0, 3])
def test_it_reaches_zero_with_every_lease_and_schedule(lease_s, every_s, at_work):
    """However long the workers hold a job and however seldom steps are taken, the readings needed for zero are kept."""
    past: list[Step] = []
    now = snapshot(replicas=3, running=3, at=0, lease_s=lease_s, at_work=at_work)
    while (decision := decide(now, Policy(), past)).action is not Action.STOP:
        past.append(step(now, decision.action))
        now = replace(now, at=now.at + every_s, replicas=decision.replicas)
        assert now.at <= max(900, (4 if at_work else 2) * lease_s) + 2 * every_s


def test_a_failed_group_is_started_once_an_hour_and_tells_a_person():
    """Starting again may help, and does not help twice; either way somebody should look."""
    failed = snapshot(3, status="failed", at=100)
    assert decide(failed, Policy()).alert
    past = [step(failed, Action.START)]
    again = decide(replace(failed, at=400), Policy(), past)
    assert (again.action, again.alert) == (Action.NOTHING, True)
    assert decide(replace(failed, at=3800), Policy(), past).action is Action.START
    dry = [step(failed, Action.START, outcome=Outcome.DRY_RUN)]
    assert decide(replace(failed, at=400), Policy(), dry).action is Action.START


def test_busy_replicas_above_a_limit_stay_only_while_nothing_waits():
    """With nothing waiting they end by themselves; else each would take the next job, and the limit were none."""
    lowered = Policy(max_replicas=5)
    assert decide(snapshot(0, 30, replicas=30), lowered).replicas == 30
    assert decide(snapshot(0, 12, replicas=30), lowered).replicas == 12
    interrupted = decide(snapshot(70, 30, replicas=30), lowered)
    assert interrupted.replicas == 5
    assert "the jobs of 25 busy replicas above it go on from their checkpoints" in str(interrupted)


def test_a_group_that_is_prepared_is_not_started_again():
    """A pending group that was told to start is given ten minutes."""
    pending = snapshot(3, status="pending", replicas=3, at=100)
    past = [step(pending, Action.START)]
    assert decide(replace(pending, at=400), Policy(), past).action is Action.NOTHING
    assert decide(replace(pending, at=800), Policy(), past).action is Action.START


def test_a_deadline_or_a_quota_interrupts_nobody():
    """They hold up growth; only what was asked for as a limit is kept at the cost of busy replicas."""
    seen = snapshot(50, 10, replicas=10, running=10, quota_left=-5)
    assert decide(seen, Policy(max_replicas=100, heed_quota=True)).replicas == 10
    assert decide(seen, Policy(max_replicas=100, job_s=3600, finish_by=12 * 3600)).replicas == 10


@given(snapshots(), policies(), st.lists(snapshots(), max_size=5))
@example(
    snapshot(1, 4, replicas=2, status="deploying", running=1, coming=1),
    Policy(max_replicas=3, job_s=10.0, finish_by=60.0),
    [],
)  # the jobs of replicas that were lost are in flight too, so that more can be than there are replicas
def test_growth_keeps_to_every_limit(seen, policy, past):
    """Whatever has been seen, no decision asks for more than the group has and a limit allows (invariant 9)."""
    decision = decide(seen, policy, steps(past))
    started = decision.action in {Action.SCALE, Action.NOTHING, Action.STOP}
    have = seen.replicas if started else 0
    assert decision.replicas <= max(have, tightest(seen, policy).most)
    assert decision.replicas - have <= policy.step_limit


@given(snapshots(statuses=UP), policies(), st.lists(snapshots(), max_size=5))
def test_busy_replicas_are_kept_unless_a_limit_is_exceeded(seen, policy, past):
    """A group that shrinks keeps as many as are busy, so that the idle go first (invariant 9)."""
    decision = decide(seen, policy, steps(past))
    busy = min(seen.busy, seen.replicas)
    is_over = seen.to_be_taken and busy > firm(seen, policy)
    if decision.replicas < seen.replicas and seen.in_flight and not is_over:
        assert decision.replicas >= busy


@given(snapshots(jobs=st.just(0)), policies().map(lambda policy: replace(policy, min_replicas=0)))
def test_without_jobs_it_reaches_zero(seen, policy):
    """A queue without open jobs ends in a stopped group within half an hour, whatever the group was (invariant 9)."""
    past: list[Step] = []
    now = seen
    for minute in range(0, 31, 5):
        now = replace(now, at=seen.at + 60 * minute, at_work=0)
        decision = decide(now, policy, past)
        past.append(step(now, decision.action))
        now = replace(now, replicas=decision.replicas or now.replicas)
        now = replace(now, status="stopped" if decision.action is Action.STOP else now.status)
    assert decide(now, policy, past).replicas == 0
    assert now.status in {"stopped", "succeeded", "failed"}


@given(snapshots(), policies())
def test_a_decision_carried_out_needs_no_other(seen, policy):
    """Deciding again on the group as decided, with the same jobs and no step limit, changes nothing."""
    policy = replace(policy, step_limit=500)
    first = decide(seen, policy)
    status = {0: "stopped"}.get(first.replicas, seen.status if seen.status in UP else "running")
    left = None if seen.quota_left is None else seen.quota_left - first.replicas + seen.replicas
    after = replace(seen, replicas=first.replicas, status=status, quota_left=left)
    assert decide(after, policy).action is Action.NOTHING


@given(snapshots(), policies())
def test_every_decision_has_its_reason(seen, policy):
    """No action goes without words, and the words have no number that is not whole."""
    decision = decide(seen, policy)
    assert decision.reasons
    assert all(decision.reasons)
    assert seen.status in STATUSES
