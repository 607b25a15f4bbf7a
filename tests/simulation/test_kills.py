"""One job, cut off at every call of its whole life, before the call's effect and after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.lives import LIVES, calls_of, killed
from tests.simulation.verdict import Verdict, judge
from tests.simulation.world import simulate

VICTIMS = ("node-1", "notebook-1", "notebook-2")
"""The first worker, and whoever runs the researcher's first and second errand."""


@pytest.mark.parametrize("life", LIVES)
def test_a_job_outlives_a_loss_at_every_call(life: str, tell: Callable[[Verdict], None]) -> None:
    """Whichever call is the last of a worker or of the researcher's notebook, every invariant holds."""
    history = simulate(LIVES[life]).history
    died = 0
    for victim in VICTIMS:
        for scenario in killed(LIVES[life], victim, calls_of(history, victim)):
            verdict = judge(scenario)
            tell(verdict)
            died += sum(verdict.faults.values())
            assert not verdict.breaches, f"{scenario.weather.kill}: {verdict.breaches}"
    assert died >= 2 * calls_of(history, "node-1")
