"""What the tests of the simulation share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.verdict import Verdict


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[Verdict], None]:
    """``tell(verdict)`` lets the summary of the test run count a history."""

    def tell(verdict: Verdict) -> None:
        numbers = [verdict.days, verdict.worker_hours, verdict.took_s, verdict.calls]
        record_property("simulation", [*numbers, dict(verdict.faults), verdict.breaches])

    return tell
