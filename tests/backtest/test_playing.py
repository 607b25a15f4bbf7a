"""Days played under policies: what is counted adds up, and the default is better than the guide's rule."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.backtest import Contender, Day, World, compare, play
from lrtkit.backtest.playing import contenders
from lrtkit.scaling import Decision, Outcome, Policy, Snapshot, Step
from lrtkit.scaling.decision import Action
from lrtkit.wire.errors import BadInput

QUIET = World(mtbi_h=0)
DAYS = st.lists(st.tuples(st.floats(0, 40_000), st.floats(60, 20_000)), min_size=1, max_size=30)


@pytest.mark.parametrize("kind", [Day.burst, Day.steady, Day.trickle, Day.drain])
def test_the_default_beats_the_guides_rule(kind):
    """On each of eight days of a kind it costs less, kills no busy replica and lets no job take longer."""
    played = [(kind(seed), World(seed=100 + seed)) for seed in range(8)]
    pairs = [[play(day, contenders()[name], world) for name in ("guide", "default")] for day, world in played]
    for (day, _), (guide, default) in zip(played, pairs, strict=True):
        assert default.done == guide.done == len(day.jobs)
        assert default.usd < guide.usd
        assert default.busy_kills == 0 < guide.busy_kills
        assert default.mean_done_h < guide.mean_done_h
    for total in ("finished_h", "direction_changes"):
        guides, defaults = ([getattr(score, total) for score in scores] for scores in zip(*pairs, strict=True))
        assert sum(defaults) <= sum(guides)


def test_the_guides_rule_kills_most_of_a_drain():
    """Of a hundred busy jobs of five hours it kills eight in ten, because its workers say nothing of themselves."""
    assert play(Day.drain(), contenders()["guide"]).busy_kills > 70


@given(DAYS, st.integers(1, 40))
def test_what_is_paid_for_is_work_or_idleness(jobs, most):
    """Without interruptions the running time is the work, the loading and the idle time, and nothing is lost."""
    score = play(Day("any", tuple(jobs)), Policy(max_replicas=most), QUIET)
    worked_s = sum(work_s + QUIET.load_s for _, work_s in jobs)
    assert score.done == len(jobs)
    assert 3600 * score.running_h == pytest.approx(worked_s + 3600 * score.idle_h)
    assert score.usd == pytest.approx(score.running_h * QUIET.usd_per_hour)
    assert score.busy_kills == score.interruptions == 0


@given(DAYS, st.floats(0.5, 20))
def test_no_job_is_lost_to_interruptions(jobs, mtbi_h):
    """However often replicas vanish, every job is done, and what was lost was paid for."""
    score = play(Day("any", tuple(jobs)), Policy(max_replicas=20), World(mtbi_h=mtbi_h))
    worked_s = sum(work_s + QUIET.load_s for _, work_s in jobs)
    assert score.done == len(jobs)
    assert 3600 * score.running_h >= worked_s + 3600 * score.idle_h - 1


def test_the_same_day_is_the_same_again():
    """A seed is a history, so that two policies meet the same world."""
    first, second = (compare([Day.trickle(3)], world=World(seed=5)) for _ in range(2))
    assert first.equals(second)


def test_a_replica_comes_as_published():
    """Half of the replicas run within ten minutes, nine of ten within forty, none within three."""
    rng = random.Random(0)
    times = sorted(World().startup_s(rng) for _ in range(4000))
    assert times[0] >= 180
    assert times[2000] == pytest.approx(600, rel=0.1)
    assert times[3200] == pytest.approx(1200, rel=0.1)
    assert times[3600] == pytest.approx(2400, rel=0.1)


def readings(day: Day, policy: Policy) -> list[dict]:
    """What an autoscaler would have kept of a played day."""
    frame = play(day, policy, QUIET).readings
    decision = Decision(0, Action.NOTHING, ("because",))
    seen = [
        Snapshot(row["waiting"], row["in_flight"], 0, row["replicas"], "running", at=at.timestamp())
        for at, row in zip(frame.index, frame.to_dict("records"), strict=True)
    ]
    return [Step(each, decision, Outcome.DONE).to_json() for each in seen]


def test_a_recorded_day_can_be_played_again():
    """From readings of queue depth come about as many jobs at about the times at which they were sent."""
    sent = Day("sent", tuple((at, 3600.0) for at in [600.0] * 30 + [18_000.0] * 50))
    again = Day.recorded(readings(sent, Policy(max_replicas=100)), job_s=3600)
    assert len(again.jobs) == pytest.approx(80, abs=8)
    assert sum(at > 10_000 for at, _ in again.jobs) == pytest.approx(50, abs=5)
    assert compare([again], {"default": Contender(Policy(max_replicas=100))})["done"].item() == len(again.jobs)


def test_a_history_of_one_reading_is_no_day():
    """What cannot be played yet is told."""
    with pytest.raises(BadInput, match=r"two readings at least, not 1. Try: later"):
        Day.recorded(readings(Day.drain(), Policy())[:1], job_s=60)
