"""The whole lives of one job: short histories without chance, to be cut off at every single call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lrtkit.wire.settings import WorkerSettings
from tests.simulation.faults import Kill, Weather
from tests.simulation.history import History
from tests.simulation.scenario import NOTES, Errand, Scenario

SETTINGS = WorkerSettings(lease_s=120, checkpoint_s=60, imds_url="http://metadata")


def _job(**more: Any) -> dict[str, Any]:
    return {"name": "job", "seed": 7, "step_s": 20, "steps": 12, "files": True, "kind": "plain", **more}


def _life(*jobs: dict[str, Any], errands: Sequence[Errand] = (), settings: WorkerSettings = SETTINGS) -> Scenario:
    return Scenario(1, jobs, settings, errands=(Errand(0, "submit"), *errands), max_replicas=min(2, len(jobs)))


LIVES: dict[str, Scenario] = {
    "plain": _life(_job()),
    "large": _life(_job(notes=NOTES)),
    "fails": _life(_job(kind="bad", breaks=[5])),
    "cancelled": _life(_job(steps=90), errands=[Errand(1500, "cancel", ["job"])]),
    "cancelled before it runs": _life(_job(), errands=[Errand(60, "cancel", ["job"])]),
    "retried": _life(_job(kind="bad", breaks=[2], files=False), errands=[Errand(5400, "retry")]),
    "handed over": _life(_job(steps=24), settings=replace(SETTINGS, handover_s=200)),
}
"""Each with the researcher's errands; the job's worker is ``node-1`` until it is lost."""


LONG = _life(
    _job(step_s=300, steps=180, files=False),
    *(_job(name=f"short-{number:02}", step_s=300, steps=6, files=False) for number in range(40)),
    settings=replace(SETTINGS, lease_s=300, checkpoint_s=900),
)
"""A job of fifteen hours, and enough others to keep a second worker at work beside it."""


def killed(life: Scenario, machine: str, calls: int) -> Iterator[Scenario]:
    """Yield a life for each of a machine's calls, cut off right before it, and one cut off right after its effect."""
    for number in range(1, calls + 1):
        for after in (False, True):
            yield replace(life, weather=Weather(kill=Kill(machine, number, after)))


def calls_of(history: History, machine: str) -> int:
    """Return how many calls a machine makes in a life that nothing cuts off."""
    return sum(event.who == machine and event.what not in _NO_CALLS for event in history.events)


_NO_CALLS = frozenset({"starts", "checkpoint", "ends", "fails", "leaves", "is lost", "freezes", "goes on", "FAULT"})
