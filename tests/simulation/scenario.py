"""What a seed stands for: jobs, settings, weather, and what the researcher does when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lrtkit.wire.settings import WorkerSettings
from tests.simulation.faults import Outage, Weather
from tests.simulation.salad import Hazard

HOUR_S = 3600.0
DAY_S = 86_400.0


LARGEST_MESSAGE = 4096
"""Bytes of a message in the simulated queue; SQS takes more, of which a history would only become longer."""

NOTES = "x" * (LARGEST_MESSAGE + 1000)
"""What makes a job too large for a message."""

FAIR = Weather()
SAFE = Hazard()


@dataclass(frozen=True)
class Errand:
    """Something that the researcher does: submit (perhaps dying at a call), cancel, or retry whatever has failed.

    A ``poison`` message is no job, and a ``reuse`` sends another job under the id of one that has not ended.
    """

    at: float
    what: str
    names: Sequence[str] = ()
    dies_at_call: int | None = None


@dataclass(frozen=True)
class Scenario:
    """A history before it happens; ``max_replicas`` bounds the autoscaler."""

    seed: int
    jobs: Sequence[dict[str, Any]]
    settings: WorkerSettings
    weather: Weather = FAIR
    hazard: Hazard = SAFE
    errands: Sequence[Errand] = (Errand(0, "submit"),)
    max_replicas: int = 6
    clocks_wrong: float = 0.0
    """The share of machines whose time of day jumps once, by hours."""
    max_receives: int | None = None
    """After so many receives the queue itself sets a message aside; None: as ``lrtkit.queues`` makes it."""
    longest_s: float = 3 * DAY_S
    """When to give up on a history that does not end."""


def drawn(seed: int, *, jobs: int = 20, replicas: int = 6) -> Scenario:
    """Draw the scenario of a seed."""
    rng = random.Random(seed)
    lease_s = rng.choice((60.0, 90.5, 120.0, 300.0))
    settings = WorkerSettings(
        lease_s=lease_s,
        checkpoint_s=rng.choice((None, 300.0, 900.0)),
        max_silent=rng.choice((3, 10)),
        imds_url="http://metadata",
    )
    table = [_job(rng, number) for number in range(jobs)]
    if rng.random() < 0.25:
        table[0] |= {"kind": "plain", "step_s": 300, "steps": rng.randint(150, 220)}  # beyond the twelve hours
        table[0].pop("breaks", None)
    for job in random.Random(f"{seed} large").sample(table, len(table) // 5):
        job["notes"] = NOTES
    random.Random(f"{seed} long").choice(table)["long"] = True
    ends = rng.uniform(6, 36) * HOUR_S
    drought = (0.0, 0.0)
    if rng.random() < 0.1:  # long enough for messages to come near their end
        begins, lasts = rng.uniform(0, 4) * HOUR_S, rng.uniform(11.5, 13.9) * DAY_S
        drought, ends = (begins, begins + lasts), begins + lasts + 12 * HOUR_S
    weather = Weather(
        trouble=rng.choice((0.0, 0.003, 0.01, 0.03)),
        deadly=rng.choice((0.0, 0.0002, 0.001)),
        spoiled=rng.choice((0.0, 0.0, 0.02)),
        outages=_outages(rng, ends),
        ends=ends,
    )
    hazard = Hazard(mean_s=rng.choice((1.5, 4, 12)) * HOUR_S, ends=ends, drought=drought, lease_s=lease_s)
    return Scenario(
        seed,
        table,
        settings,
        weather,
        hazard,
        errands=_errands(rng, [job["name"] for job in table], ends),
        max_replicas=replicas,
        clocks_wrong=rng.choice((0.0, 0.2)),
        longest_s=ends + 3 * DAY_S,
    )


def _job(rng: random.Random, number: int) -> dict[str, Any]:
    step_s = rng.choice((20, 60, 120))
    duration_s = min(4 * HOUR_S, rng.lognormvariate(7.3, 0.9))
    job: dict[str, Any] = {
        "name": f"job-{number:02}",
        "seed": rng.randrange(10**9),
        "step_s": step_s,
        "steps": max(3, int(duration_s / step_s)),
        "files": rng.random() < 0.4,
        "kind": rng.choices(("plain", "none", "bad", "flaky", "deadly", "invalid", "idle"), (80, 5, 3, 5, 3, 2, 2))[0],
    }
    if job["kind"] in {"bad", "flaky", "deadly"}:
        job["breaks"] = sorted({rng.randint(1, job["steps"]) for _ in range(2)})
    return job


def _outages(rng: random.Random, ends: float) -> list[Outage]:
    outages = []
    for _ in range(rng.choice((0, 1, 2))):
        begins = rng.uniform(0, min(ends, DAY_S))
        lasts = rng.choice((rng.uniform(30, 900), rng.uniform(1, 8) * HOUR_S))
        services = rng.choice((("sqs",), ("s3",), ("sqs", "s3")))
        outages += [Outage(service, begins, min(ends, begins + lasts)) for service in services]
    return outages


def _errands(rng: random.Random, names: list[str], ends: float) -> list[Errand]:
    """Submit, perhaps dying on the way, and again; cancel and retry in between."""
    errands = [Errand(0, "submit", dies_at_call=rng.choice((None, rng.randint(1, 14))))]
    errands += [Errand(rng.uniform(60, 2 * HOUR_S), "submit")]
    errands += [
        Errand(rng.uniform(0, 8) * HOUR_S, "cancel", rng.sample(names, 1)) for _ in range(rng.choice((0, 1, 3)))
    ]
    errands += [Errand(rng.uniform(2, 12) * HOUR_S, "retry") for _ in range(rng.choice((0, 1)))]
    errands += [Errand(rng.uniform(1, 6) * HOUR_S, "poison") for _ in range(rng.choice((0, 0, 1)))]
    errands += [
        Errand(rng.uniform(0.5, 2) * HOUR_S, "reuse", rng.sample(names, 3)) for _ in range(rng.choice((0, 0, 1)))
    ]
    return sorted([*errands, Errand(ends + HOUR_S, "submit")], key=lambda errand: errand.at)
