"""The command that runs thousands of histories."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulation.__main__ import main
from tests.simulation.verdict import Verdict


def test_a_soak_tells_what_has_happened() -> None:
    """In the end it counts seeds, worker-hours and faults by kind, and none of its processes leaves anything behind."""
    command = [sys.executable, "-m", "tests.simulation", "soak", "--seeds", "1", "--first", "17", "--cores", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    first, faults, broken, last = ended.stdout.splitlines()
    assert first.startswith("1 history of ")
    assert "simulated worker-hours a second" in first
    assert " faults: " in faults
    assert broken == "0 histories broke an invariant"
    assert last.startswith("With --cores 1 it took ")
    assert "1/1" in ended.stderr
    assert "leaked" not in ended.stderr


def test_what_is_no_number_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that cannot be meant is refused in a sentence."""
    with pytest.raises(SystemExit):
        main(["replay", "seven"])
    assert "'seven' is no whole number of 0 or more" in capsys.readouterr().err


def test_a_breach_is_one_line_that_replays_it() -> None:
    """Whoever reads it days later needs nothing else."""
    verdict = Verdict(7, [("fence", "two have it"), ("budget", "too many")], 0.0, 0.0, 0.0, {}, 0)  # type: ignore[arg-type]
    assert verdict.line == "seed 7 breaks fence: two have it (and 1 more). Replay it: make replay SEED=7"
