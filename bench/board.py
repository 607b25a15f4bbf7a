"""What the board of 10,000 jobs costs beside the reading of the bucket, which is a figure of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pandas as pd

from bench.table import Row, below
from lrtkit.control import Ids
from lrtkit.dashboard import Dashboard
from lrtkit.dashboard.face import CHARTS
from lrtkit.progress import View
from lrtkit.wire.clock import iso
from lrtkit.wire.record import Cause, Holder, Record, Saved, State

JOBS, MACHINES, STEPS = 10_000, 300, 1000
DONE, BEGUN = 0.6, 0.7
ROUNDS = 7


def measure() -> Iterator[Row]:
    """Draw a board again and again, from jobs of which most are done and some run or wait."""
    campaign = Campaign()
    board = Dashboard(campaign)
    words, meets = below(2)
    name = f"board of {JOBS:,} jobs, processor time of a refresh"
    yield Row(name, [_seconds(board._refresh) for _ in range(ROUNDS)], target=words, meets=meets)
    for chart in CHARTS:
        board.controls.chart.value = chart
        words, meets = below(0.3)
        rounds = [_seconds(board._draw) for _ in range(ROUNDS)]
        yield Row(f"  redraw of {chart!r}", rounds, target=words, meets=meets)


class Campaign:
    """Jobs as the bucket would show them, each with one to three attempts."""

    name = "bench"

    def __init__(self) -> None:
        dice, now = random.Random(1), time.time()
        self._views = [_view(number, dice, now) for number in range(JOBS)]

    def views(self) -> list[View]:
        """Return them; nothing is read."""
        return self._views

    def depth(self) -> pd.DataFrame:
        """Return one reading."""
        at = pd.DatetimeIndex([pd.Timestamp.now("UTC")], name="at")
        return pd.DataFrame({"waiting": [3000], "in_flight": [MACHINES], "delayed": [0], "dead": [0]}, index=at)

    def cancel(self, ids: Ids) -> pd.DataFrame:
        """Cancel nothing."""
        raise NotImplementedError

    def retry(self, ids: Ids) -> pd.DataFrame:
        """Retry nothing."""
        raise NotImplementedError


def _view(number: int, dice: random.Random, now: float) -> View:
    job_id, part = f"bench/T{number // 50:03}-rho{number % 50:02}", number / JOBS
    record = _record(dice, now - 40_000 * (1 - part), is_done=part < DONE) if part < BEGUN else None
    return View(job_id, {"job_id": job_id, "steps": STEPS}, "f", sent=True, record=record, read_at=now)


def _record(dice: random.Random, at: float, *, is_done: bool) -> Record:
    record = Record(State.WAITING)
    for attempt in range(dice.choice([1, 1, 1, 2, 3])):
        if attempt:
            record = record.interrupted(Cause.NODE_GONE, now=iso(at))
        holder = Holder("worker", f"machine-{dice.randrange(MACHINES):03}")
        record = record.claimed(holder, fingerprint="f", steps=STEPS, now=iso(at + 60))
        record = record.saved(Saved({"step": 300 * (attempt + 1)}, saved_at=iso(at + 600)), now=iso(at + 600))
        at += 700
    return record.done({"energy": -1.0}, {}, now=iso(at)) if is_done else record


def _seconds(call: Callable[[], object]) -> float:
    """Return the processor time that a call takes; it waits for nobody, and so others on the machine do not count."""
    began = time.process_time()
    call()
    return time.process_time() - began
