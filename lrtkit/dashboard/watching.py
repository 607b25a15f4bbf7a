"""One live picture, for as long as a cell runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pandas as pd
from IPython.display import display

from lrtkit import charts
from lrtkit.dashboard.face import Picture
from lrtkit.dashboard.reading import Scaler, Source, look


def watch(
    experiment: Source, *, scaler: Scaler | None = None, refresh_s: float = 2.0, timeout_s: float = 600.0
) -> pd.DataFrame:
    """Draw the progress of an experiment until every job has ended or the time is over.

    One picture, redrawn in place; under papermill the last one stays. Returns what was seen of the
    queue on the way: index ``at`` (UTC), columns ``waiting``, ``in_flight``, ``delayed``, ``dead`` in
    jobs, and ``replicas`` where a ``scaler`` is given, missing for the first reading.
    """
    reading = look(experiment)
    handle = display(Picture.of(charts.progress(reading.attempts)).bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
    began, replicas = reading.depth.index[-1], {}
    for _ in _until(time.monotonic() + timeout_s, refresh_s):
        reading = look(experiment)
        if scaler:
            replicas[reading.depth.index[-1]] = scaler.look().replicas
        picture = Picture.of(charts.progress(reading.attempts, now=reading.at))
        handle.update(picture.bundle(), raw=True)
        if reading.is_over:
            break
    seen = reading.depth.loc[began:]
    if not scaler:
        return seen
    return seen.assign(replicas=pd.Series(replicas, dtype="Int64").reindex(seen.index, method="ffill"))


def _until(deadline: float, refresh_s: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(refresh_s)
