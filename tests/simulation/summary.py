"""What the test run says of the simulation in the end: pace, faults by kind, and what caught which mutation."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.simulation.verdict import Tally, Verdict


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the numbers that the tests told."""
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    told = [value for report in reports for name, value in report.user_properties if name == "simulation"]
    caught = [value for report in reports for name, value in report.user_properties if name == "mutation"]
    if told:
        terminalreporter.section("simulation", sep="-")
        for line in Tally.of(map(_verdict, told)).lines():
            terminalreporter.line(line)
    if caught:
        terminalreporter.section("mutations", sep="-")
        for line in sorted(caught):
            terminalreporter.line(line)


def _verdict(numbers: list[Any]) -> Verdict:
    days, worker_hours, took_s, calls, faults, breaches = numbers
    return Verdict(0, breaches, days, worker_hours, took_s, Counter(faults), calls)
