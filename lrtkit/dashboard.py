"""The live picture of an experiment in a notebook."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from html import escape
from typing import Any

import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes

from lrtkit import charts
from lrtkit.autoscaler import Autoscaler
from lrtkit.experiment import Experiment
from lrtkit.progress import JobState

WIDTH_PX = 825


def watch(
    experiment: Experiment, *, scaler: Autoscaler | None = None, refresh_s: float = 2.0, timeout_s: float = 600.0
) -> pd.DataFrame:
    """Draw the progress of an experiment until every job has ended or the time is over.

    One picture, redrawn in place; under papermill the last one stays. Returns what was seen of the
    queue on the way: index ``at`` (UTC), columns ``waiting``, ``in_flight``, ``delayed``, ``dead`` in
    jobs, and ``replicas`` where a ``scaler`` is given.
    """
    handle = display(_bundle(charts.progress(experiment.attempts())), raw=True, display_id=True)  # type: ignore[no-untyped-call]
    replicas: list[int] = []
    seen = pd.DataFrame()
    for _ in _until(time.monotonic() + timeout_s, refresh_s):
        seen = experiment.depth()
        replicas += [scaler.look().replicas] if scaler else []
        status = experiment.status()
        picture = charts.progress(experiment.attempts(), now=pd.Timestamp.now("UTC"))
        handle.update(_bundle(picture), raw=True)
        if status["state"].map(lambda state: JobState(state).final).all():
            break
    if scaler:
        seen = seen.tail(len(replicas)).assign(replicas=pd.array(replicas, dtype="int64"))
    return seen


def _until(deadline: float, refresh_s: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(refresh_s)


def _bundle(axes: Axes) -> dict[str, Any]:
    """Return one picture in three forms: inline SVG and scripts are stripped from untrusted notebooks, a PNG is not."""
    png, alt = charts.png(axes), charts.alt(axes)
    encoded = base64.b64encode(png).decode()
    return {
        "text/html": f'<img width="{WIDTH_PX}" alt="{escape(alt)}" src="data:image/png;base64,{encoded}">',
        "image/png": encoded,
        "text/plain": alt,
    }
