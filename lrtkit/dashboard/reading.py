"""One look at an experiment, from which everything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pandas as pd

from lrtkit.control import Ids
from lrtkit.progress import JobState, View, frames
from lrtkit.progress.story import Story, tell


class Source(Protocol):
    """What is watched, and what can be done about it: an experiment."""

    name: str

    def views(self) -> list[View]:
        """Return what the bucket says of each job."""

    def depth(self) -> pd.DataFrame:
        """Return the readings of the queue, this one last."""

    def cancel(self, ids: Ids) -> pd.DataFrame:
        """Cancel jobs."""

    def retry(self, ids: Ids) -> pd.DataFrame:
        """Give jobs another chance."""


class Scaler(Protocol):
    """What decides about replicas: an autoscaler."""

    def look(self) -> Any:
        """Read queue and container group; ``replicas`` says how many there are."""

    def step(self, *, dry_run: bool = False) -> object:
        """Look, decide, and act unless ``dry_run``; what it returns says in words what was decided."""


@dataclass(frozen=True)
class Reading:
    """What bucket and queue said at a time (UTC); the frames are made of the same views, and agree."""

    at: pd.Timestamp
    views: tuple[View, ...]
    depth: pd.DataFrame

    @cached_property
    def status(self) -> pd.DataFrame:
        """A row a job; see ``Progress.status``."""
        return frames.status(self.views)

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """A row an attempt; see ``Progress.attempts``."""
        return frames.attempts(self.views)

    @property
    def is_over(self) -> bool:
        """Whether every job has ended; without jobs, too."""
        return all(view.state.final for view in self.views)

    def chosen(self, state: str | None = None, words: str = "") -> pd.DataFrame:
        """Return the status of the jobs in a state, whose ids have all the words in them."""
        found = self.status if state is None else self.status[self.status["state"] == state]
        for word in words.split():
            found = found[found.index.str.contains(word, case=False, regex=False)]
        return found

    def story(self, job_id: str) -> Story | None:
        """Tell a job's story; None where there is no such job any more."""
        return next((tell(view) for view in self.views if view.job_id == job_id), None)


def look(source: Source) -> Reading:
    """Read bucket and queue."""
    views, depth = source.views(), source.depth()
    return Reading(pd.Timestamp.now("UTC"), tuple(views), depth)


STATES = tuple(str(state) for state in JobState)
