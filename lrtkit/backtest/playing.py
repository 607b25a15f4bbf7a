"""A day played under one policy, and several policies side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pandas as pd

from lrtkit.backtest.days import HOUR_S, Day
from lrtkit.backtest.group import PlayedGroup
from lrtkit.backtest.world import World
from lrtkit.scaling import Action, Outcome, Policy, Step, decide
from lrtkit.scaling.memory import horizon_s

LONGEST_S = 7 * 24 * HOUR_S
"""A policy that has not finished a day's jobs within a week never will."""


@dataclass(frozen=True)
class Contender:
    """A policy, and whether its workers tell SaladCloud by deletion costs that they are busy; the guide's do not."""

    policy: Policy
    deletion_costs: bool = True


@dataclass(frozen=True)
class Score:
    """What a day came to; ``readings`` has a row a step, as ``charts.queue_depth`` draws them."""

    usd: float
    running_h: float
    idle_h: float
    mean_wait_min: float
    mean_done_h: float
    finished_h: float
    busy_kills: int
    interruptions: int
    direction_changes: int
    done: int
    readings: pd.DataFrame


def contenders(max_replicas: int = 100) -> dict[str, Contender]:
    """Return the guide's rule with the guide's workers and with the kit's, and the default."""
    guide = Policy.guide(0, max_replicas)
    return {
        "guide": Contender(guide, deletion_costs=False),
        "guide, our workers": Contender(guide),
        "default": Contender(Policy(0, max_replicas)),
    }


def compare(
    days: Sequence[Day],
    policies: Mapping[str, Contender | Policy] | None = None,
    world: World | None = None,
    *,
    plays: int = 3,
) -> pd.DataFrame:
    """Play each day under each policy: index ``day`` and ``policy``, and as columns what ``Score`` has.

    Start-up and interruptions come at random, so each is the mean of so many ``plays``.
    Columns: ``usd``, ``running_h`` and ``idle_h`` (replica-hours paid for, and those without a job),
    ``mean_wait_min`` (until a job first begins), ``mean_done_h`` (until it is done), ``finished_h`` (when the last
    one is done), ``busy_kills``, ``interruptions``, ``direction_changes`` (of growing and shrinking), ``done`` (jobs).
    """
    chosen, world = contenders() if policies is None else policies, world or World()
    worlds = [replace(world, seed=world.seed + play) for play in range(plays)]
    rows = {
        (day.name, name): _mean_of([play(day, each, one) for one in worlds])
        for day in days
        for name, each in chosen.items()
    }
    return pd.DataFrame(list(rows.values()), index=pd.MultiIndex.from_tuples(rows, names=["day", "policy"]))


def _mean_of(scores: Sequence[Score]) -> dict[str, float]:
    names = [name for name in vars(scores[0]) if name != "readings"]
    return {name: _mean([getattr(score, name) for score in scores]) for name in names}


def play(day: Day, contender: Contender | Policy, world: World | None = None) -> Score:
    """Play one day under one policy until its last job is done and the group is empty."""
    world = world or World()
    chosen = contender if isinstance(contender, Contender) else Contender(contender)
    group = PlayedGroup(day, world, deletion_costs=chosen.deletion_costs)
    steps: list[Step] = []
    while not group.has_ended and group.now < LONGEST_S:
        group.advance(group.now + world.tick_s)
        steps.append(_step(group, chosen.policy, steps, world.tick_s))
    return _score(group, steps, world)


def _step(group: PlayedGroup, policy: Policy, past: Sequence[Step], tick_s: float) -> Step:
    seen = group.seen()
    decision = decide(seen, policy, past[-int(horizon_s(seen, policy) / tick_s) - 1 :])
    if decision.action in {Action.SCALE, Action.START}:
        group.start(decision.replicas)
    if decision.action is Action.STOP:
        group.stop()
    return Step(seen, decision, Outcome.DONE)


def _score(group: PlayedGroup, steps: Sequence[Step], world: World) -> Score:
    tally = group.tally
    seen = [step.snapshot for step in steps]
    readings = pd.DataFrame(
        {name: [getattr(each, name) for each in seen] for name in ("waiting", "in_flight", "delayed", "replicas")},
        index=pd.to_datetime([each.at for each in seen], unit="s", utc=True).rename("at"),
    )
    return Score(
        usd=tally.ran_s / HOUR_S * world.usd_per_hour,
        running_h=tally.ran_s / HOUR_S,
        idle_h=tally.idle_s / HOUR_S,
        mean_wait_min=_mean(tally.waited_s) / 60,
        mean_done_h=_mean(tally.took_s) / HOUR_S,
        finished_h=tally.last_end / HOUR_S,
        busy_kills=tally.busy_kills,
        interruptions=tally.interruptions,
        direction_changes=_direction_changes(steps),
        done=len(tally.took_s),
        readings=readings,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _direction_changes(steps: Sequence[Step]) -> int:
    """Count how often growing turned into shrinking or the other way round; a stopped group has no replicas."""
    asked = [0 if step.decision.action is Action.STOP else step.decision.replicas for step in steps]
    moves = [after > before for before, after in pairwise([0, *asked]) if after != before]
    return sum(before != after for before, after in pairwise(moves))
