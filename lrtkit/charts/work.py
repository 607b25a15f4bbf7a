"""How much work there is and how much of it is done, over all jobs; arithmetic only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrtkit.charts.style import Floats, numbers


def weights(status: pd.DataFrame) -> Floats:
    """Return each job's part of the work: its steps, or alike for all where one's steps are not known."""
    steps = numbers(status["steps"])
    return np.ones(len(status)) if np.isnan(steps).any() or not steps.sum() else steps


def done(status: pd.DataFrame) -> Floats:
    """Return how far each job has come, from 0 to 1."""
    return np.clip(np.nan_to_num(numbers(status["progress"])), 0, 1)


def share_done(status: pd.DataFrame) -> float:
    """Return the part of all work that is done, from 0 to 1."""
    return float(done(status) @ weights(status) / weights(status).sum())


def percent(share: float) -> str:
    """Return a share in percent, rounded down: what is not done is not at 100 %."""
    return f"{int(100 * share + 1e-9)} %"
