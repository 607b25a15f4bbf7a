"""A reading as HTML and pictures; no widget here, and no network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import pandas as pd
from matplotlib.axes import Axes

from lrtkit import charts
from lrtkit.dashboard.reading import Reading
from lrtkit.progress.story import Story

WIDTH_PX = 825
MOST_LANES, MOST_ROWS = 60, 20
COLUMNS = ["state", "progress", "attempts", "interruptions", "failures", "machine", "error"]
# What asks for a hand comes first.
ORDER = ["failed", "expired", "unsent", "interrupted", "running", "queued", "cancelled", "done"]


def _lanes(reading: Reading, chosen: pd.DataFrame) -> Axes:
    attempts = reading.attempts
    begun = attempts["job_id"][attempts["job_id"].isin(chosen.index)].drop_duplicates().tail(MOST_LANES)
    return charts.progress(attempts[attempts["job_id"].isin(begun)], now=reading.at)


CHARTS: dict[str, Callable[[Reading, pd.DataFrame], Axes]] = {
    "all jobs": lambda _, chosen: charts.overview(chosen),
    "lanes": _lanes,
    "time left": lambda reading, _: charts.forecast(reading.status, reading.attempts, now=reading.at),
    "queue": lambda reading, _: charts.queue_depth(reading.depth),
    "interruptions": lambda reading, _: charts.interruptions(reading.attempts),
}
"""What the board can show: drawn from a reading, and from the status of the jobs that the filter has left."""


@dataclass(frozen=True)
class Picture:
    """A chart as it is sent to a page: a PNG in base64, and the sentence that stands for it."""

    encoded: str
    alt: str

    @classmethod
    def of(cls, axes: Axes) -> Picture:
        """Paint a chart."""
        return cls(base64.b64encode(charts.png(axes)).decode(), charts.alt(axes))

    @property
    def tag(self) -> str:
        """The picture as an ``img``; SVG and scripts are stripped from untrusted notebooks."""
        source = f"data:image/png;base64,{self.encoded}"
        return f'<img style="max-width: 100%" width="{WIDTH_PX}" alt="{escape(self.alt)}" src="{source}">'

    def bundle(self, html: str | None = None) -> dict[str, str]:
        """Return it in three forms, of which every viewer has one that it can show; ``html`` for more than the tag."""
        return {"text/html": html or self.tag, "image/png": self.encoded, "text/plain": self.alt}


def headline(name: str, reading: Reading) -> str:
    """Return in one line what there is and when it was read."""
    counts = reading.status["state"].value_counts()
    told = ", ".join(f"{counts[state]:,} {state}" for state in ORDER if state in counts) or "no jobs yet"
    return f"{name}: {told}. Read at {reading.at:%H:%M:%S} UTC."


def table(chosen: pd.DataFrame) -> str:
    """Return the jobs that ask for a hand first as a table, and how many more there are."""
    order = chosen["state"].map(ORDER.index).sort_values(kind="stable").index[:MOST_ROWS]
    shown = chosen.loc[order, COLUMNS]
    shown = shown.assign(progress=(100 * shown["progress"]).map("{:.0f} %".format, na_action="ignore"))
    rest = f"<p>… and {len(chosen) - MOST_ROWS:,} more.</p>" if len(chosen) > MOST_ROWS else ""
    return shown.to_html(na_rep="", border=0, max_cols=None) + rest


def told(story: Story | None) -> str:
    """Return a job's story with its ribbon."""
    if story is None:
        return "<p>This job is not there any more.</p>"
    return f"{story._repr_html_()}{Picture.of(charts.goodput(story.frame)).tag if len(story.frame) else ''}"
