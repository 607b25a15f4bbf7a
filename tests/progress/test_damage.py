"""What seems damaged in the bucket, and what was so only on its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.progress import JobState, Progress
from lrtkit.wire import keys
from lrtkit.wire.errors import DamagedFile
from lrtkit.wire.record import Holder, Record, State
from lrtkit.wire.s3 import S3Store

T = TypeVar("T")


class Spoiling(S3Store):
    """A bucket of which the first few reads lose the ends of all bodies."""

    def __init__(self, store: S3Store, spoiled: int) -> None:
        self.__dict__.update(store.__dict__)
        self.spoiled = spoiled

    def read(self, keys: Sequence[str], make: Callable[[bytes], T]) -> dict[str, T]:
        """Read, or lose the ends."""
        end = -5 if self.spoiled > 0 else None
        self.spoiled -= bool(keys)
        return super().read(keys, lambda body: make(body[:end]))


@pytest.fixture
def submitted(cloud: Cloud) -> Cloud:
    """A cloud in which one job runs."""
    Experiment("exp", cloud).submit([{"name": "a", "steps": 3}])
    record = Record(State.WAITING).claimed(
        Holder("worker", "machine"), fingerprint="f", steps=3, now="2026-11-24T10:00:00.000Z"
    )
    cloud.store.put(keys.record("exp/a"), record.to_bytes())
    return cloud


def states(progress: Progress) -> list[Any]:
    return [view.state for view in progress.views()]


def test_what_is_damaged_on_its_way_is_read_again(submitted: Cloud) -> None:
    """Nobody is told to delete a list that is whole, and no running job is shown as failed."""
    assert states(Progress(Spoiling(submitted.store, 1), "exp")) == [JobState.RUNNING]


def test_what_is_damaged_is_looked_at_anew_each_time(submitted: Cloud) -> None:
    """A second spoiled read is told, and not believed for longer than it lasts."""
    progress = Progress(Spoiling(submitted.store, 2), "exp")
    with pytest.raises(DamagedFile, match="its line 1 tells of no job"):
        progress.views()
    assert states(progress) == [JobState.RUNNING]
