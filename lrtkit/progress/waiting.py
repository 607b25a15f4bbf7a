"""Waiting, with a progress bar, for the last job to end."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from lrtkit.progress.view import JobState
from lrtkit.wire.errors import NotFinished, Unavailable

_AGAIN = "submit the table again"


def wait(
    look: Callable[[], pd.DataFrame], status: pd.DataFrame, *, name: str, timeout_s: float | None, every_s: float
) -> pd.DataFrame:
    """Look at the status until every job has ended, and return it; raise NotFinished where that cannot be awaited."""
    end = math.inf if timeout_s is None else time.monotonic() + timeout_s
    left = _left(status)
    ended = len(status) - sum(left.values())  # before anyone looked, so that they are no part of the rate
    with tqdm(total=len(status), initial=ended, desc=name, unit="job") as bar:
        while left:
            _show(bar, status, left)
            if set(left) == {JobState.EXPIRED}:
                raise NotFinished(f"{_told('nobody will take these jobs any more', left)}. Try: {_AGAIN}")
            if time.monotonic() + every_s > end:
                told = _told(f"after {timeout_s:g} s these jobs have not ended", left)
                raise NotFinished(f"{told}. Try: {_advice(status, left)}")
            time.sleep(every_s)
            with suppress(Unavailable):  # a wait of days outlives a network that is away for a while
                status = look()
            left = _left(status)
        _show(bar, status, left)
    return status


def _left(status: pd.DataFrame) -> dict[str, int]:
    """Return how many jobs have not ended, by their states."""
    counts = Counter(status["state"].tolist())
    return {state: counts[state] for state in JobState if counts[state] and not state.final}


def _show(bar: tqdm[Any], status: pd.DataFrame, left: Mapping[str, int]) -> None:
    bar.total, bar.n = len(status), len(status) - sum(left.values())
    bar.set_postfix(left)


def _told(problem: str, left: Mapping[str, int]) -> str:
    return f"{problem}: {', '.join(f'{count:,} {state}' for state, count in left.items())}"


def _advice(status: pd.DataFrame, left: Mapping[str, int]) -> str:
    if not {JobState.UNSENT, JobState.EXPIRED}.isdisjoint(left):
        return _AGAIN
    if status["attempts"].eq(0).all():
        return "see whether workers run, and what they say in their logs, as none has taken a job"
    return "wait longer, or look at status()"
