"""How fast the jobs of an experiment go, as the earlier ones tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from lrtkit.progress.spending import pace_per_s
from lrtkit.progress.view import JobState, View


@dataclass(frozen=True)
class Past:
    """What earlier jobs tell: a job's usual steps per second, whether any saves, and what is still to be done."""

    rate_per_s: float | None
    saves: bool
    open_steps: float
    running: int


def past(views: Sequence[View]) -> Past:
    """Return what the jobs of an experiment tell about the next ones."""
    rates = [rate for view in views if (rate := pace_per_s(view))]
    states = [view.state for view in views]
    under_way = (view for view, state in zip(views, states, strict=True) if not state.final)
    return Past(
        rate_per_s=median(rates) if rates else None,
        saves=any(view.record and view.record.checkpoint for view in views),
        open_steps=sum((view.steps or 0) - (view.step or 0) for view in under_way),
        running=states.count(JobState.RUNNING),
    )
