"""Tries all rules wherever they can be tried here, tells what is news, and writes the matrix."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance import matrix
from tests.conformance.catalogue import ALL
from tests.conformance.differences import expected
from tests.conformance.places import PLACES, Place
from tests.conformance.rules import Verdict


def main() -> int:
    """Return 1 where a server differs otherwise than the table of differences says."""
    if missing := [place.name for place in PLACES if place.name in matrix.KEPT and not place.is_here()]:
        print(f"conformance: {', '.join(missing)} not installed. Try: make second-opinion", file=sys.stderr)
        return 2
    news: list[str] = []
    verdicts = {place.name: _tried(place, news) for place in PLACES if place.is_here()}
    matrix.PATH.write_text(matrix.render(verdicts))
    print(f"The matrix: {matrix.PATH}")
    print(*news, sep="\n", file=sys.stderr)
    return 1 if news else 0


def _tried(place: Place, news: list[str]) -> dict[str, Verdict]:
    began = time.monotonic()
    with TemporaryDirectory(prefix="lrt-") as folder:
        outcomes = place.outcomes(ALL, Path(folder))
    verdicts = {rule_id: outcome.verdict for rule_id, outcome in outcomes.items()}
    kept = sum(verdict is Verdict.HOLDS for verdict in verdicts.values())
    print(f"{place.name:10} {kept:3} of {len(verdicts):3} rules hold, tried in {time.monotonic() - began:.1f} s")
    news += [
        f"{place.name}: {rule.id}: {verdicts[rule.id]} {outcomes[rule.id].seen}"
        for rule in place.mine(ALL)
        if verdicts[rule.id] is not expected(place.name, rule)
    ]
    return verdicts


if __name__ == "__main__":
    sys.exit(main())
