"""Records read from a bucket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lrtkit.wire import ledger
from lrtkit.wire.errors import DamagedFile
from lrtkit.wire.record import Record, State
from lrtkit.wire.s3 import Item

SOUND = Record(State.WAITING, fingerprint="print").to_bytes()
TORN = SOUND[: len(SOUND) // 2]


class Reading:
    """A bucket whose answers are these, one after the other."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies: Iterator[bytes] = iter(bodies)

    def get(self, _: str) -> Item | None:
        """Return the next answer."""
        return Item(next(self._bodies), "etag")


def test_a_record_damaged_on_its_way_is_read_again() -> None:
    """A job is not given up for a read that went wrong once."""
    found = ledger.read(Reading(TORN, SOUND), "job")  # type: ignore[arg-type]
    assert found.record
    assert found.record.fingerprint == "print"


def test_a_record_that_stays_damaged_is_told() -> None:
    """What is damaged at the second look is damaged, and the sentence names it."""
    with pytest.raises(DamagedFile, match=r"job/checkpoint\.json"):
        ledger.read(Reading(TORN, TORN), "job")  # type: ignore[arg-type]
