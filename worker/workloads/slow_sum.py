"""The guide's example: add the numbers 1 to ``steps``, slowly."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from typing import Any

from lrtkit.wire.errors import InvalidJob


def validate(job: dict[str, Any]) -> None:
    """Raise InvalidJob unless ``steps`` is a whole number of at least 1."""
    steps = job.get("steps")
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise InvalidJob(f"steps must be a whole number of at least 1, not {steps!r}")


def run(job: dict[str, Any], checkpoint: dict[str, Any] | None) -> Generator[dict[str, Any], None, int]:
    """Yield ``{"step", "sum"}`` after each step of ``STEP_SECONDS`` (default 30) and return the sum."""
    state = checkpoint or {"step": 0, "sum": 0}
    pause_s = float(os.environ.get("STEP_SECONDS", "30"))
    while state["step"] < job["steps"]:
        time.sleep(pause_s)
        step = state["step"] + 1
        state = {"step": step, "sum": state["sum"] + step}
        yield state
    return int(state["sum"])
