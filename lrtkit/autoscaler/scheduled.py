"""The autoscaler on a schedule: as a function of AWS Lambda, or as a process that steps ever again."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from lrtkit.autoscaler.scaler import Autoscaler
from lrtkit.scaling import Step
from lrtkit.wire.errors import LrtError, Unavailable

FUNCTION_PATIENCE_S = 2.5
"""Lambda ends a function after its ten seconds without a word; a service that takes so long is told by an error."""


def handler(event: Mapping[str, Any], context: Any, *, env: Mapping[str, str] = os.environ) -> dict[str, Any]:  # noqa: ARG001
    """Take one step, as AWS Lambda calls it; the schedule's ``event`` and the ``context`` have nothing to add.

    What was seen, decided and done is the return value and one line of the log.
    """
    return _told(Autoscaler.from_env(env, patience_s=FUNCTION_PATIENCE_S).step())


def _told(step: Step) -> dict[str, Any]:
    """Return the step as JSON; raise where a person should look, so that the alarm on errors goes off."""
    told = step.to_json()
    _say(told)
    if step.decision.alert:
        raise LrtError(str(step))
    return told


def run(scaler: Autoscaler, *, every_s: float, stopped: threading.Event, say: Callable[[str], None] = print) -> None:
    """Step, wait, and step again until ``stopped``.

    What is wrong at the first step is raised, unless a service does not answer; later on whatever fails is told,
    and the next step tries again.
    """
    has_stepped = False
    while not stopped.is_set():
        begun = time.monotonic()
        try:
            step = scaler.step()
            say(f"{step.at} {step}")
            has_stepped = True
        except LrtError as error:
            if not (has_stepped or isinstance(error, Unavailable)):
                raise
            say(f"This step failed: {error}")
        stopped.wait(max(0.0, every_s - (time.monotonic() - begun)))


def _say(told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
