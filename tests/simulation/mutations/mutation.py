"""A fault that is put back into the running code, as a small patch, and where it is looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.simulation.faults import Outage, Weather
from tests.simulation.salad import Hazard
from tests.simulation.scenario import DAY_S, NOTES, Errand, Scenario

Patch = pytest.MonkeyPatch

MUTATIONS: dict[str, Mutation] = {}


@dataclass(frozen=True)
class Mutation:
    """A fault: ``patch`` puts it into the code, ``scenario`` into the settings; ``life`` is where it is looked for."""

    name: str
    patch: Callable[[Patch], None] = lambda _: None
    scenario: Callable[[Scenario], Scenario] = lambda scenario: scenario
    life: str | None = None
    since: int = 0
    """The seed from which on it is looked for: those before have been searched in vain."""

    is_in_code: bool = True


def mutation(name: str, **more: Any) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    """Register a patch under what it does wrong."""

    def register(patch: Callable[[Patch], None]) -> Callable[[Patch], None]:
        MUTATIONS[name] = Mutation(name, patch, **more)
        return patch

    return register


def with_trouble(scenario: Scenario) -> Scenario:
    """Let one call in seven meet trouble."""
    return replace(scenario, weather=replace(scenario.weather, trouble=0.15, spoiled=0.0))


def with_rot(scenario: Scenario) -> Scenario:
    """Let a third of all files not stay what they were."""
    return replace(scenario, weather=replace(scenario.weather, spoiled=0.3))


def with_outage(scenario: Scenario) -> Scenario:
    """Let the bucket be away for an hour and a half."""
    return replace(scenario, weather=replace(scenario.weather, outages=[Outage("s3", 3600, 9000)]))


def with_drought(scenario: Scenario) -> Scenario:
    """Let no replica start until the messages are almost fourteen days old."""
    ends = 13.9 * DAY_S
    errands = [errand for errand in scenario.errands if errand.what == "submit"]
    return replace(
        scenario,
        hazard=Hazard(drought=(0.0, ends)),
        weather=Weather(),
        errands=[*errands, Errand(ends + DAY_S, "submit")],
        longest_s=ends + 3 * DAY_S,
    )


def all_long(scenario: Scenario) -> Scenario:
    """Let every job have a result that is too long for its record."""
    return with_trouble(replace(scenario, jobs=[{**job, "long": True} for job in scenario.jobs]))


def all_large(scenario: Scenario) -> Scenario:
    """Let every job be too large for a message."""
    return replace(scenario, jobs=[{**job, "notes": NOTES} for job in scenario.jobs])
