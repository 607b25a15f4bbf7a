"""Calls in threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lrtkit.wire import parallel


def test_answers_come_in_their_order() -> None:
    """However long each call takes, its answer stands in its place."""
    last_is_done = threading.Event()

    def call(number: int) -> int:
        last_is_done.set() if number == 3 else last_is_done.wait()
        return number * 2

    assert parallel.each(call, range(4), threads=4, name="test") == [0, 2, 4, 6]


@pytest.mark.parametrize("trouble", [ConnectionError, KeyboardInterrupt])
def test_after_an_error_or_an_interrupt_nothing_more_is_begun(trouble: type[BaseException]) -> None:
    """What is on its way is waited for, and the thousands behind it are not called at all, however early it comes."""
    is_handed_out = threading.Event()
    begun: list[int] = []

    def numbers() -> Iterator[int]:
        yield from range(10_000)
        is_handed_out.set()
        if trouble is KeyboardInterrupt:
            raise KeyboardInterrupt

    def call(number: int) -> None:
        is_handed_out.wait()
        begun.append(number)
        raise ConnectionError

    with pytest.raises(trouble):
        parallel.each(call, numbers(), threads=2, name="test")
    assert len(begun) < 10_000
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test")]
