"""The checkers bite: each fault that is put back into the code is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.simulation.lives import LIVES, LONG, calls_of, killed
from tests.simulation.mutations import of_bucket, of_jobs, of_messages  # noqa: F401  (each registers its own)
from tests.simulation.mutations.mutation import MUTATIONS, Mutation
from tests.simulation.scenario import Scenario, drawn
from tests.simulation.verdict import judge
from tests.simulation.world import simulate

MOST_SEEDS = 30


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_fault_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """The simulation breaks an invariant within a few histories, and says which."""
    mutation = MUTATIONS[name]
    histories = list(_histories(mutation))
    mutation.patch(monkeypatch)
    hours = 0.0
    for number, (told, scenario) in enumerate(histories, start=1):
        verdict = judge(scenario)
        hours += verdict.worker_hours
        if verdict.breaches:
            monkeypatch.undo()
            assert not mutation.is_in_code or not judge(scenario).breaches, "the history is broken without it too"
            invariant, breach = verdict.breaches[0]
            found = f"by {invariant} in {told}, history {number}, after {hours:,.0f} worker-hours"
            record_property("mutation", f"{name}: {found}\n    {breach[:150]}")
            return
    pytest.fail(f"{name}: not found in {len(histories)} histories and {hours:,.0f} worker-hours")


def stormy(scenario: Scenario) -> Scenario:
    """Return a history in which much of everything goes wrong."""
    weather = replace(scenario.weather, trouble=0.03, deadly=0.001, spoiled=0.02)
    hazard = replace(scenario.hazard, mean_s=1.5 * 3600.0)
    return replace(scenario, weather=weather, hazard=hazard, jobs=[{**job, "files": True} for job in scenario.jobs])


def _histories(mutation: Mutation) -> Iterator[tuple[str, Scenario]]:
    if mutation.life is None:
        for seed in range(mutation.since, mutation.since + MOST_SEEDS):
            yield f"seed {seed}", mutation.scenario(stormy(drawn(seed)))
    elif mutation.life == "long":
        yield "a job of fifteen hours", LONG
    else:
        life = LIVES[mutation.life]
        yield f"the life {mutation.life!r}", life
        for scenario in killed(life, "node-1", calls_of(simulate(life).history, "node-1")):
            yield f"the life {mutation.life!r}, {scenario.weather.kill}", scenario
