"""The autoscaler on a schedule: as a function of AWS Lambda, or as a process that steps ever again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from lrtkit.autoscaler.scaler import Autoscaler
from lrtkit.scaling import Step
from lrtkit.wire.errors import LrtError, Unavailable

FUNCTION_PATIENCE_S = 2.5
FUNCTION_S = 9.0
"""Lambda ends a function after its ten seconds without a word; what takes so long is told by an error before."""


def handler(
    event: Mapping[str, Any],  # noqa: ARG001
    context: Any,  # noqa: ARG001
    *,
    env: Mapping[str, str] = os.environ,
    within_s: float = FUNCTION_S,
) -> dict[str, Any]:
    """Take one step, as AWS Lambda calls it; the schedule's ``event`` and the ``context`` have nothing to add.

    What was seen, decided and done is the return value and one line of the log.
    """
    with _ending_after(within_s):
        step = Autoscaler.from_env(env, patience_s=FUNCTION_PATIENCE_S).step()
    return _told(step)


class _OutOfTime(BaseException):
    """No Exception: botocore takes any such for a failure of the network, and tries again."""


@contextlib.contextmanager
def _ending_after(seconds: float) -> Iterator[None]:
    """Raise Unavailable, with the call that is waited for, where it is not over in time; in the main thread only."""

    def ring(_: int, frame: FrameType | None) -> None:
        raise _OutOfTime(_place(frame))

    former = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _OutOfTime as error:
        told = f"the step was not over after {seconds:g} s: it waited in {error}"
        raise Unavailable(f"{told}. Try: wait, the next step goes on from what this one has done") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _place(frame: FrameType | None) -> str:
    """Return the innermost function of the kit that a frame is in: ``lrtkit.wire.sqs.SqsQueue.depth``."""
    while frame and not frame.f_globals.get("__name__", "").startswith("lrtkit."):
        frame = frame.f_back
    return f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}" if frame else "a call of nobody's"


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
