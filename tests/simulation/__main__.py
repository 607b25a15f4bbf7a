"""``python -m tests.simulation 123`` tells the history of seed 123; ``… soak 20000`` runs so many on all cores."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time

from tests.simulation.checkers import check
from tests.simulation.evidence import Evidence
from tests.simulation.scenario import drawn
from tests.simulation.verdict import Tally, judge_seed
from tests.simulation.world import simulate

TOLD_EVERY_S = 30.0


def replay(seed: int) -> int:
    """Print every event of a history, then what it breaks."""
    scenario = drawn(seed)
    outcome = simulate(scenario, is_verbose=True)
    for event in outcome.history.events:
        print(event)
    print(f"\n{scenario.settings}\n{scenario.weather}\n{scenario.hazard}")
    for job in scenario.jobs:
        print(job)
    breaches = list(check(Evidence(outcome)))
    print(f"\nseed {seed}: {outcome.seconds / 86_400:.2f} days, faults {dict(outcome.history.faults)}")
    for name, breach in breaches:
        print(f"BREACH of {name}: {breach}")
    return bool(breaches)


def soak(seeds: int) -> int:
    """Run seeds on all cores, and tell of every breach at once."""
    cores = os.cpu_count() or 1
    tally, began = Tally(), time.monotonic()
    told = began
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for verdict in pool.imap_unordered(judge_seed, range(seeds), chunksize=4):
            tally.add(verdict)
            if verdict.breaches:
                print(verdict, flush=True)
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                print(f"{tally.seeds:,} of {seeds:,} seeds, {tally.broken} broken", flush=True)
    print(*tally.lines(), sep="\n")
    print(f"On {cores} cores it took {time.monotonic() - began:,.0f} s.")
    return bool(tally.broken)


if __name__ == "__main__":
    if sys.argv[1] == "soak":
        sys.exit(soak(int(sys.argv[2])))
    sys.exit(replay(int(sys.argv[1])))
