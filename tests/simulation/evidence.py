"""What the checkers read: writes of records, the queue's history, and what the workloads themselves say they did.

Nothing here uses the kit: the bucket's layout and the record's fields are read as the contract has them.
"""

from __future__ import annotations

import bisect
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.simulation.history import Event
from tests.simulation.world import Outcome

EXPERIMENT = "sim"
Breaches = Iterator[str]

FINAL = frozenset({"done", "failed", "cancelled"})
PEOPLE = ("notebook-", "scaler-")
"""What the machines of researcher and autoscaler are called; all others are workers."""

SLACK_S = 5.0
"""What a few calls over an untroubled network take together."""

_WORK = frozenset({"starts", "checkpoint", "ends", "fails"})


@dataclass(frozen=True)
class Write:
    """A job's record as somebody wrote it."""

    at: float
    who: str
    state: str
    generation: int
    step: int | None
    envelope: dict[str, Any]


@dataclass(frozen=True)
class Stretch:
    """A time in which a workload ran on a machine: from one step to the one at which it ended, if it did."""

    who: str
    began: float
    first_step: int
    ended: float
    last_step: int | None
    """None where the machine was lost or froze before the workload could end."""


class Evidence:
    """A history, sorted by job."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.scenario = outcome.scenario
        self.history = outcome.history
        self.jobs = {f"{EXPERIMENT}/{job['name']}": job for job in outcome.scenario.jobs}

    def is_foreign(self, body: str, attributes: Mapping[str, Any]) -> bool:
        """Tell whether a message is none of the jobs that were submitted, whole or under the hash of its body."""
        job = self.jobs.get(job_of(body) or "")
        if job is None or "body_sha256" in attributes:
            return job is None  # nobody sends another's body under an id of ours
        return json.loads(body)["seed"] != job["seed"]

    @cached_property
    def writes(self) -> dict[str, list[Write]]:
        """Every write of a job's record, by job."""
        found: dict[str, list[Write]] = defaultdict(list)
        for event in self.history.of("put_object"):
            job_id, _, name = event.facts["Key"].rpartition("/")
            if name == "checkpoint.json" and "ETag" in event.facts:
                found[job_id].append(_write(event))
        return found

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """The envelope that each job's record has in the end."""
        keys = {job_id: f"{job_id}/checkpoint.json" for job_id in self.jobs}
        objects = self.outcome.objects
        return {job_id: json.loads(objects[key])["_lrt"] for job_id, key in keys.items() if key in objects}

    @cached_property
    def work(self) -> dict[str, list[Event]]:
        """What the workloads of each job tell."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.history.events:
            if event.what in _WORK:
                found[event.facts["job"]].append(event)
        return found

    @cached_property
    def stretches(self) -> dict[str, list[Stretch]]:
        """The stretches of work on each job, in the order in which they began."""
        return {job_id: list(self._stretches(events)) for job_id, events in self.work.items()}

    def _stretches(self, events: list[Event]) -> Iterator[Stretch]:
        for place, event in enumerate(events):
            if event.what == "starts":
                end = next((each for each in events[place:] if each.what == "ends" and each.who == event.who), None)
                halt = self.halted(event.who, event.at)
                if end and end.at <= halt:
                    yield Stretch(event.who, event.at, event.facts["step"], end.at, end.facts["step"])
                else:
                    yield Stretch(event.who, event.at, event.facts["step"], min(halt, self.outcome.seconds), None)

    @cached_property
    def _halts(self) -> dict[str, list[float]]:
        """When each machine was lost, or froze for longer than a lease; a shorter pause ends no work."""
        found: dict[str, list[float]] = defaultdict(list)
        for event in self.history.of("is lost", "freezes", "goes on"):
            halts = found[event.who]
            if event.what != "goes on":
                halts.append(event.at)
            elif halts and event.at - halts[-1] < self.scenario.settings.lease_s:
                halts.pop()
        return found

    def halted(self, who: str, since: float) -> float:
        """Return when a machine was lost or froze next."""
        halts = self._halts.get(who, [])
        place = bisect.bisect_left(halts, since)
        return halts[place] if place < len(halts) else float("inf")

    @cached_property
    def troubles(self) -> dict[str, list[float]]:
        """When each machine's calls met faults."""
        found: dict[str, list[float]] = defaultdict(list)
        for event in self.history.of("FAULT"):
            found[event.who].append(event.at)
        return found

    @cached_property
    def spoiled(self) -> dict[str, list[float]]:
        """When what each machine read was spoiled on its way."""
        found: dict[str, list[float]] = defaultdict(list)
        for event in self.history.of("FAULT"):
            if event.facts["kind"] == "spoiled read":
                found[event.who].append(event.at)
        return found

    def in_trouble(self, who: str, begins: float, ends: float) -> bool:
        """Tell whether any call of a machine met a fault in a time."""
        times = self.troubles.get(who, [])
        return bisect.bisect_left(times, begins) < bisect.bisect_right(times, ends)

    @cached_property
    def damaged(self) -> frozenset[str]:
        """The jobs of which something in the bucket did not stay as it was written."""
        return frozenset(
            event.facts["job"] for event in self.history.of("FAULT") if event.facts["kind"] == "stored damage"
        )


def is_letter(event: Event) -> bool:
    """Tell whether a message was sent to the dead letters."""
    return str(event.facts["QueueUrl"]).endswith("dead.fifo")


def job_of(body: str) -> str | None:
    """Return the job of a message's body, or None where it is no job."""
    try:
        return str(json.loads(body)["job_id"])
    except ValueError:
        return None


def _write(event: Event) -> Write:
    state = json.loads(event.facts["Body"])
    envelope = state.pop("_lrt")
    step = state.get("step") if envelope["has_checkpoint"] else None
    return Write(event.at, event.who, envelope["state"], envelope["generation"], step, envelope)
