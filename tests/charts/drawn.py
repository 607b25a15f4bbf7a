"""What the tests of charts share: made-up attempts, and a look at what was drawn."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

START = pd.Timestamp("2026-03-02 09:00", tz="UTC")
COLUMNS = [
    "job_id",
    "generation",
    "worker",
    "machine",
    "started_at",
    "ended_at",
    "first_step",
    "last_step",
    "steps",
    "outcome",
    "cause",
]


def after(seconds: float | None) -> Any:
    return pd.NaT if seconds is None else START + pd.Timedelta(seconds=seconds)


def attempt(job: str, begin: float, end: float | None, span: tuple[Any, Any], **more: Any) -> dict[str, Any]:
    """One attempt on machine m1, done at step 100 unless told otherwise."""
    times = {"started_at": after(begin), "ended_at": after(end)}
    of = {"job_id": job, "generation": 1, "worker": "w", "machine": "m1", "steps": 100}
    return of | times | {"first_step": span[0], "last_step": span[1], "outcome": "done", "cause": None} | more


def interrupted(job: str, begin: float, end: float, span: tuple[Any, Any], **more: Any) -> dict[str, Any]:
    return attempt(job, begin, end, span, **{"outcome": "interrupted", "cause": "node gone"} | more)


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def campaign(jobs: int, workers: int = 4, job_s: float = 15, rests: int = 3) -> pd.DataFrame:
    """Jobs in turn on some workers; every third is interrupted, and goes on elsewhere after a pause."""
    causes = itertools.cycle(["node gone", "sigterm", "lease lost", "hand-over"])
    rows = []
    for number in range(jobs):
        job = f"argon/T{1 + number % 6 / 10:.2f}-rho{number / 100:.2f}"
        begin, machine = number // workers * 1.4 * job_s + number % workers, f"{number % workers}f3a9c0e-4b1d"
        if number % rests == 0:
            half = begin + 0.4 * job_s
            rows.append(interrupted(job, begin, half, (0, 40), machine=machine, cause=next(causes)))
            late = {"machine": f"{number:x}c8d2-77", "generation": 2}
            rows.append(attempt(job, half + 0.3 * job_s, begin + 1.3 * job_s, (40, 100), **late))
        else:
            rows.append(attempt(job, begin, begin + job_s, (0, 100), machine=machine))
    return frame(*rows)


def visible(ax: Axes) -> list[Text]:
    """Every text that is drawn: those of an axis only while it is on, and ticks only within its limits."""
    legends = [text for legend in ax.artists for text in legend.get_texts()]
    titles = [ax._left_title, ax.title, ax._right_title]
    axes = [ax.xaxis, ax.yaxis] if ax.axison else []
    ticks = [
        tick.label1
        for axis in axes
        for tick in axis.get_major_ticks()
        if min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    texts = [*ax.texts, *legends, *titles, *(axis.label for axis in axes), *ticks]
    return [text for text in texts if text.get_text().strip()]


def boxes(ax: Axes) -> list[tuple[str, Bbox]]:
    """Where the texts stand, in pixels, once the layout is made."""
    ax.get_figure(root=True).canvas.draw()
    # The class's own method: that of an annotation counts the line that leads to it.
    return [(text.get_text(), Text.get_window_extent(text)) for text in visible(ax)]


def faults(ax: Axes) -> list[str]:
    """What cannot be read: texts that overlap, and texts that the edge of the picture cuts."""
    found, paper = boxes(ax), ax.get_figure(root=True).bbox.padded(0.6)
    pairs = itertools.combinations(found, 2)
    overlaps = [f"{one!r} on {two!r}" for (one, a), (two, b) in pairs if a.padded(-0.6).overlaps(b.padded(-0.6))]
    cut = [f"{name!r} cut" for name, box in found if not (paper.contains(*box.min) and paper.contains(*box.max))]
    return overlaps + cut


def labelled(ax: Axes, label: str) -> Any:
    """The one artist of the data with this label."""
    (found,) = [artist for artist in [*ax.lines, *ax.collections] if artist.get_label() == label]
    return found


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def key(ax: Axes) -> list[str]:
    return [text.get_text() for legend in ax.artists for text in legend.get_texts()]


def standing(*jobs: tuple[str, float | None], steps: Any = 1000) -> pd.DataFrame:
    """A status frame: a state and a progress for each job."""
    index = pd.Index([f"argon/T{number // 10}-rho{number % 10}" for number in range(len(jobs))], name="job_id")
    states, progress = [job[0] for job in jobs], [job[1] for job in jobs]
    return pd.DataFrame({"state": states, "progress": progress, "steps": steps}, index=index)


def mixed(number: int) -> pd.DataFrame:
    """Jobs half of which are done, while every state occurs."""
    kinds: list[tuple[str, float | None]] = [("done", 1.0)] * 8
    kinds += [("running", 0.5), ("interrupted", 0.3), ("queued", 0.0), ("queued", None)]
    kinds += [("failed", 0.7), ("cancelled", 0.2), ("expired", 0.1), ("unsent", None)]
    return standing(*(kinds[each * len(kinds) // number] for each in range(number)))


def ran(status: pd.DataFrame, job_s: float = 100) -> pd.DataFrame:
    """The attempts, one after the other on one machine, that led to a status."""
    begun = [(job, share) for job, share in zip(status.index, status["progress"], strict=True) if share > 0]
    ends = pd.Series([share * job_s for _, share in begun]).cumsum().tolist()
    begins = [0, *ends[:-1]]
    rows = zip(begun, begins, ends, strict=True)
    return frame(
        *(
            attempt(job, begin, end if share == 1 else None, (0, share * 1000), steps=1000)
            | {"outcome": "done" if share == 1 else "running"}
            for (job, share), begin, end in rows
        )
    )


def story(*rows: tuple[str, float, float, float | None, float, float]) -> pd.DataFrame:
    """A story's frame: machine, start, and the seconds of waiting, starting, useful and redone of each attempt."""
    columns = ["machine", "started_at", "waiting_s", "starting_s", "useful_s", "redone_s"]
    found = pd.DataFrame(rows, columns=columns)
    return found.assign(started_at=[after(start) for start in found["started_at"]])
