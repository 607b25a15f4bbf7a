"""The story that the kit exists for: machines vanish, and every job is done once."""

from __future__ import annotations

import pytest

from lrtkit import Experiment

STEPS = 40


@pytest.mark.parametrize("kind", ["gone", "zombie", "stop"])
def test_jobs_outlive_their_machines(here, connected, scaler, until, kind):
    """Three machines lost in the midst of their jobs, whichever way: each job has its result, and only once."""
    exp = Experiment("story", connected)
    exp.submit([{"name": str(number), "steps": STEPS} for number in range(5)])
    scaler.step()
    for _ in range(3):
        until(lambda: (exp.status()["state"] == "running").sum() >= 2, within_s=60)
        here.interrupt(kind)
    exp.wait(180, every_s=0.5)
    here.set(interruptions_per_hour=0)
    assert exp.results()["result"].tolist() == [STEPS * (STEPS + 1) // 2] * 5
    assert "5 done; no job is lost" in exp.audit()
    assert connected.queue.depth().dead == 0
    assert exp.attempts()["outcome"].value_counts()["done"] == 5
