"""A hundred histories of faults, each of 20 jobs and 6 workers, from a submission to the end of every job."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.simulation.scenario import drawn
from tests.simulation.verdict import Verdict, judge_seed
from tests.simulation.world import simulate

SEEDS = 100
AT_ONCE = 5
"""Seeds a test: few enough for the cores to share them evenly."""


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_invariant_holds_whatever_goes_wrong(first: int, tell: Callable[[Verdict], None]) -> None:
    """Under faults of every kind no job is lost or doubled, and all eleven invariants hold."""
    verdicts = [judge_seed(seed) for seed in range(first, first + AT_ONCE)]
    for verdict in verdicts:
        tell(verdict)
    assert not any(verdict.breaches for verdict in verdicts), "\n".join(str(each) for each in verdicts if each.breaches)


def test_a_seed_is_one_history_in_every_process() -> None:
    """The same seed gives the same events, in this process again and in one with other hashes."""
    seed = 11
    digest = _digest(seed)
    program = f"from tests.simulation.test_seeds import _digest; print(_digest({seed}))"
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert _digest(seed) == digest
    assert elsewhere.stdout.strip() == digest


def _digest(seed: int) -> str:
    return simulate(drawn(seed)).history.digest
