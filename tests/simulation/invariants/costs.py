"""Invariants of what it costs: replicas, and calls."""

from __future__ import annotations

import itertools
import math

from tests.simulation.evidence import PEOPLE, Breaches, Evidence
from tests.simulation.scenario import HOUR_S

CALLS_WAITING_H = 500
"""How many calls an hour a machine may make to a service that does not answer."""

AWAY = "service away"

_PAID = frozenset({"change_message_visibility", "head_object", "put_object", "upload_file", "delete_object"})
"""The calls that come again and again while a job runs."""


def scaling(found: Evidence) -> Breaches:
    """Invariant 9: no busy replica goes while an idle one exists, the limits hold, and the end is zero."""
    for event in found.history.of("scaled"):
        if event.facts["replicas"] > found.scenario.max_replicas:
            yield f"{event.facts['replicas']} replicas were asked for, of {found.scenario.max_replicas} at the most"
    asked = list(found.history.of("scaled", "started"))
    for before, after in itertools.pairwise(asked):
        if (before.what, after.what) == ("started", "scaled") and after.at - before.at < 60:
            yield "the group was started before its number of replicas was set"
    for event in found.history.of("removed"):
        busy = _is_busy(found, event.facts["node"], event.at)
        kept = [name for name, _ in event.facts["kept"] if found.halted(name, 0.0) > event.at]
        idle = [name for name in kept if not _is_busy(found, name, event.at - 60, event.at)]
        if busy and idle:
            yield f"{event.facts['node']} was removed from its work, and {', '.join(idle)} had none"
    if found.outcome.ended and found.outcome.replicas:
        yield f"{found.outcome.replicas} replicas are left in the end"


def budget(found: Evidence) -> Breaches:
    """Invariant 11: at most one write a second to one key; API calls per job-hour stay in budget."""
    last: dict[str, tuple[str, float]] = {}
    for event in found.history.of("put_object"):
        key = event.facts["Key"]
        who, at = last.get(key, ("", -math.inf))
        is_own = who == event.who and not found.in_trouble(who, at - 60, event.at)
        if event.facts.get("error") == "TooManyRequests" and is_own:
            yield f"{who} wrote {key} twice within {event.at - at:.2f} s"
        if "ETag" in event.facts:
            last[key] = (event.who, event.at)
    yield from _impatience(found)
    calls = sum(event.what in _PAID and not event.who.startswith(PEOPLE) for event in found.history.events)
    stretches = [each for some in found.stretches.values() for each in some]
    hours = sum(each.ended - each.began for each in stretches) / HOUR_S
    beats = 4 * HOUR_S / found.scenario.settings.lease_s
    hourly = 2 * beats + 5 * HOUR_S / _shortest_s(found)
    faults = sum(count for kind, count in found.history.faults.items() if kind != AWAY)
    held = 1.3 * beats * found.scenario.max_replicas * _away_h(found)  # who waits for the bucket keeps its lease
    allowed = 1.3 * hourly * hours + held + 40 * len(stretches) + 10 * faults + 200
    if calls > allowed:
        yield f"{calls} calls were made for {hours:.1f} hours of work in {len(stretches)} attempts, not {allowed:.0f}"


def _impatience(found: Evidence) -> Breaches:
    """Find workers that call a service that is away again and again without a pause."""
    away_h = _away_h(found)
    calls = sum(event.facts["kind"] == AWAY and not event.who.startswith(PEOPLE) for event in found.history.of("FAULT"))
    allowed = CALLS_WAITING_H * found.scenario.max_replicas * away_h + 200
    if calls > allowed:
        yield f"{calls} calls were made to services that were away for {away_h:.1f} h, and {allowed:.0f} are enough"


def _away_h(found: Evidence) -> float:
    """Return for how many hours services were away, those of both together."""
    return sum(each.ends - each.begins for each in found.scenario.weather.outages) / HOUR_S


def _shortest_s(found: Evidence) -> float:
    """Return a time between saves that is shorter than most."""
    return found.scenario.settings.checkpoint_s or 30.0


def _is_busy(found: Evidence, node: str, since: float, until: float | None = None) -> bool:
    """Tell whether a workload ran on a node at any moment of a time."""
    until = since if until is None else until
    stretches = (each for some in found.stretches.values() for each in some)
    return any(each.who == node and each.began <= until and each.ended >= since for each in stretches)
