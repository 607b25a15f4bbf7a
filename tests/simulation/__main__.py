"""Histories on the command line: tell one seed's, or soak in thousands of them."""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.checkers import check
from tests.simulation.evidence import Evidence
from tests.simulation.scenario import drawn
from tests.simulation.soak import soak
from tests.simulation.world import simulate


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; return 1 where an invariant is broken, 130 where it was ended by Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("replay", help="tell the history of a seed, event by event, and what it breaks")
    one.add_argument("seed", type=_count)
    many = commands.add_parser("soak", help="run many seeds, and tell of every one that breaks an invariant")
    many.add_argument("--seeds", type=_count, default=20_000, help="how many (default: %(default)s)")
    many.add_argument("--first", type=_count, default=0, help="the first of them (default: %(default)s)")
    many.add_argument("--cores", type=_count, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    given = parser.parse_args(arguments)
    if given.command == "replay":
        return replay(given.seed)
    return soak(range(given.first, given.first + given.seeds), max(1, given.cores))


def replay(seed: int) -> int:
    """Print every event of a history, then what it breaks."""
    scenario = drawn(seed)
    outcome = simulate(scenario, is_verbose=True)
    for event in outcome.history.events:
        print(event)
    print(f"\n{scenario.settings}\n{scenario.weather}\n{scenario.hazard}")
    for job in scenario.jobs:
        print({name: value for name, value in job.items() if name != "notes"}, "large" if "notes" in job else "")
    breaches = list(check(Evidence(outcome)))
    print(f"\nseed {seed}: {outcome.seconds / 86_400:.2f} days, faults {dict(outcome.history.faults)}")
    for name, breach in breaches:
        print(f"BREACH of {name}: {breach}")
    return bool(breaches)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 0 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
