"""The pace of calls: the service's limit, and slower for a while when it refuses some."""

from __future__ import annotations

from lrtkit.jobs.pace import SLOWEST_PER_S, Pace


class Road:
    """A pace in time that only waiting lets pass."""

    def __init__(self, limit_per_s: float = 300) -> None:
        self.now_s = 0.0
        self.pace = Pace(limit_per_s, lambda: self.now_s)

    def call(self, *, refused: bool = False) -> None:
        """Make a call when its time has come, and be answered at once."""
        self.now_s += self.pace.wait_s()
        (self.pace.refused if refused else self.pace.answered)()


def test_pace_is_that_of_the_service() -> None:
    """In ten seconds no more than the rate passes."""
    road, passed = Road(), 0
    while road.now_s < 10:
        road.call()
        passed += 1
    assert 2990 <= passed <= 3002


def test_a_delay_of_ones_own_is_made_up_for_in_part() -> None:
    """After a pause of whatever length, a quarter of a second's worth of calls follow at once, and no more."""
    road = Road()
    road.now_s = 60.0
    passed = 0
    while road.now_s < 61:
        road.call()
        passed += 1
    assert 370 <= passed <= 377


def test_refusals_slow_it_down_and_answers_speed_it_up() -> None:
    """A refusal takes three tenths of the rate, and some seconds of answers bring it back to the limit, not above."""
    road = Road()
    road.call(refused=True)
    assert road.pace.rate_per_s == 210
    for _ in range(1000):
        road.call()
    assert 210 < road.pace.rate_per_s < 300
    for _ in range(5000):
        road.call()
    assert road.pace.rate_per_s == 300


def test_refusals_of_one_moment_are_one() -> None:
    """Thirty calls on their way when the service has had enough do not bring everything to a standstill."""
    road = Road()
    for _ in range(30):
        road.call(refused=True)
    assert road.pace.rate_per_s == 210


def test_it_never_stands_still() -> None:
    """However long the service refuses everything, it is asked again every second."""
    road = Road()
    while road.now_s < 60:
        road.call(refused=True)
    assert road.pace.rate_per_s == SLOWEST_PER_S
    before_s = road.now_s
    road.call()
    assert road.now_s - before_s <= 1


def test_it_finds_a_limit_that_nobody_told() -> None:
    """Against a service of a third of the rate it settles there: it gets nine tenths of it, and few are refused."""
    road, tokens, filled_s, taken, refused = Road(), 0.0, 0.0, 0, 0
    while road.now_s < 60:
        tokens, filled_s = min(10.0, tokens + (road.now_s - filled_s) * 100), road.now_s
        is_refused = tokens < 1
        road.call(refused=is_refused)
        tokens -= not is_refused
        taken += not is_refused
        refused += is_refused
    assert taken >= 0.9 * 100 * 60
    assert refused <= 0.1 * taken
