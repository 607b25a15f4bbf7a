"""From a scenario to a verdict: let its history happen, check it, and say what happened in numbers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.checkers import check
from tests.simulation.evidence import Evidence
from tests.simulation.scenario import Scenario, drawn
from tests.simulation.world import simulate

HOUR_S = 3600.0


@dataclass(frozen=True)
class Verdict:
    """What became of a seed; ``breaches`` are the invariants that were broken, with what broke them."""

    seed: int
    breaches: list[tuple[str, str]]
    days: float
    worker_hours: float
    took_s: float
    faults: Counter[str]
    calls: int

    def __str__(self) -> str:
        broken = "\n".join(f"  {name}: {breach}" for name, breach in self.breaches)
        return f"seed {self.seed} breaks what must hold:\n{broken}\nReplay it: make replay SEED={self.seed}"

    @property
    def line(self) -> str:
        """What breaks, in one line that says how to see it."""
        (name, breach), more = self.breaches[0], len(self.breaches) - 1
        rest = f" (and {more} more)" if more else ""
        return f"seed {self.seed} breaks {name}: {breach}{rest}. Replay it: make replay SEED={self.seed}"


def judge(scenario: Scenario) -> Verdict:
    """Let a history happen and check it."""
    began = time.process_time()
    outcome = simulate(scenario)
    breaches = list(check(Evidence(outcome)))
    return Verdict(
        scenario.seed,
        breaches,
        outcome.seconds / 86_400,
        outcome.worked_s / HOUR_S,
        time.process_time() - began,
        outcome.history.faults,
        sum(outcome.history.calls.values()),
    )


def judge_seed(seed: int) -> Verdict:
    """Do so for the scenario that a seed stands for."""
    return judge(drawn(seed))


@dataclass
class Tally:
    """Many verdicts in numbers."""

    seeds: int = 0
    broken: int = 0
    days: float = 0.0
    worker_hours: float = 0.0
    took_s: float = 0.0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.seeds += 1
        self.broken += bool(verdict.breaches)
        self.days += verdict.days
        self.worker_hours += verdict.worker_hours
        self.took_s += verdict.took_s
        self.calls += verdict.calls
        self.faults.update(verdict.faults)

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Tally:
        """Count verdicts."""
        tally = cls()
        for verdict in verdicts:
            tally.add(verdict)
        return tally

    def lines(self) -> list[str]:
        """Return what to print."""
        pace = self.worker_hours / max(self.took_s, 1e-9)
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.faults.most_common())
        return [
            f"{_histories(self.seeds)} of {self.days:,.0f} days, {self.worker_hours:,.0f} worker-hours and "
            f"{self.calls:,} calls in {self.took_s:,.0f} s of a core: {pace:,.0f} simulated worker-hours a second",
            f"{sum(self.faults.values()):,} faults: {kinds}",
            f"{_histories(self.broken)} broke an invariant",
        ]


def _histories(count: int) -> str:
    return f"{count:,} {'history' if count == 1 else 'histories'}"
