"""Jobs that are handed over before the queue ends their lease."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.waiting import until
from tests.worker.lab import Lab

PROGRAM = f"cmd: {sys.executable} -m tests.worker.program"


@pytest.mark.parametrize("workload", ["count", PROGRAM], ids=["generator", "command"])
def test_a_hand_over_loses_no_step(lab: Lab, workload: str) -> None:
    """Generator and command stop at a checkpoint; the next attempt goes on there, with no step lost or done twice."""
    lab.send(steps=3, pause_s=1.6)
    lab.serve(workload, handover_seconds=1)
    record = lab.record()
    assert lab.steps() == [1, 2, 3]
    assert (lab.result(), record.counts.failures) == (6, 0)
    assert record.interruptions["hand-over"] >= 1
    assert all(each.cause in {"hand-over", None} for each in record.attempts)


def test_a_stop_signal_does_not_wait_for_a_hand_over(lab: Lab) -> None:
    """While a slow workload is on its way to the checkpoint of a hand-over, a stop signal ends it within its grace."""
    lab.send()
    worker = lab.worker("deaf", handover_seconds=1, grace_seconds=1)

    def is_on_its_way() -> bool:
        """Tell whether a workload that was already deaf is asked for a checkpoint; one that was not yet has ended."""
        asked = worker.events("halt", cause="hand-over")
        return bool(lab.steps() and len(worker.events("interrupted")) < len(asked))

    until(is_on_its_way)
    worker.signal(signal.SIGTERM)
    assert worker.left() == 0
    assert lab.record().attempts[-1].cause == "sigterm"
