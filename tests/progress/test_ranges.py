"""Lists in parallel: nothing is missed and nothing told twice, whatever comes and goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.progress import ranges
from lrtkit.progress.ranges import Ranges
from lrtkit.wire.listing import Listed, Page

T = TypeVar("T")

PAGE = 5


class Bucket:
    """A bucket of keys, whose pages are short; ``rounds`` has how many pages each call asked for."""

    def __init__(self, keys: set[str], order: Callable[[str], Any] = str.encode) -> None:
        self.keys = keys
        self.rounds: list[int] = []
        self._order = order

    def pages(self, prefix: str, after: Sequence[str]) -> list[Page]:
        """List what follows each key, in the order of the bytes as S3 does or in another."""
        self.rounds.append(len(after))
        return [self._page(prefix, each) for each in after]

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List everything, page after page, by tokens."""
        return map(listed, sorted((key for key in self.keys if key.startswith(prefix)), key=self._order))

    def read(self, keys: Sequence[str], make: Callable[[bytes], T]) -> dict[str, T]:
        """Read nothing: only lists are asked for."""
        raise NotImplementedError

    def _page(self, prefix: str, after: str) -> Page:
        rest = [each for each in self.listed(prefix) if not after or self._order(each.key) > self._order(after)]
        return Page(rest[:PAGE], len(rest) <= PAGE, None)


def listed(key: str) -> Listed:
    return Listed(key, f'"{key}"', 1, 0.0)


@pytest.fixture(autouse=True)
def _short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many keys in a range as suit the short pages."""
    monkeypatch.setattr(ranges, "STRIDE", 4)


KEYS = st.sets(st.text("aü€\U0001f9ea/", max_size=4).map("exp/".__add__), max_size=60)


@given(before=KEYS, after=KEYS, others=st.sets(st.text("aez", max_size=3), max_size=10))
def test_the_second_list_is_that_of_then(before: set[str], after: set[str], others: set[str]) -> None:
    """Keys that came, went, were a boundary or grew a range beyond a page are all told once, in their order."""
    bucket = Bucket(before | others)
    lister = Ranges(bucket, "exp/")
    for keys in (before, after):
        bucket.keys = keys | others
        assert lister.listed() == [listed(key) for key in sorted(keys)]


@given(keys=KEYS, hints=st.lists(st.text("aepx/ü\U0001f9ea", max_size=6), unique=True, max_size=20))
def test_a_first_list_may_be_divided_anywhere(keys: set[str], hints: list[str]) -> None:
    """Whatever keys are guessed, outside of the prefix too, the list is the same."""
    lister = Ranges(Bucket(keys), "exp/")
    lister.divide(hints)
    assert lister.listed() == [listed(key) for key in sorted(keys)]


def test_a_refresh_is_one_round() -> None:
    """What took as many rounds as pages takes one when it is known where to divide, and two where a range has grown."""
    bucket = Bucket({f"exp/{number:03}" for number in range(40)})
    lister = Ranges(bucket, "exp/")
    lister.listed()
    assert bucket.rounds == [1] * 8
    bucket.rounds.clear()
    lister.listed()
    assert bucket.rounds == [11]
    bucket.keys |= {f"exp/010{letter}" for letter in "abc"}
    bucket.rounds.clear()
    assert len(lister.listed()) == 43
    assert bucket.rounds == [11, 1]


@pytest.mark.parametrize("order", [lambda key: key[::-1], lambda key: key.swapcase()])
def test_a_bucket_with_an_order_of_its_own_is_listed_page_after_page(order: Callable[[str], object]) -> None:
    """Ranges would miss keys there; the whole list does not."""
    keys = {f"exp/{letter}{number}" for letter in "aAbB" for number in range(7)}
    bucket = Bucket(keys, order)
    lister = Ranges(bucket, "exp/")
    assert lister.listed() == [listed(key) for key in sorted(keys)]
    bucket.rounds.clear()
    assert lister.listed() == [listed(key) for key in sorted(keys)]
    assert not bucket.rounds


class Emptying(Bucket):
    """A bucket that gives an empty page before the last, as S3 may."""

    def _page(self, prefix: str, after: str) -> Page:
        return Page([], is_last=False, read_at=None) if after else super()._page(prefix, after)


def test_an_empty_page_is_no_end() -> None:
    """Where nothing tells how to go on, the list is read by tokens."""
    keys = {f"exp/{number}" for number in range(9)}
    assert len(Ranges(Emptying(keys), "exp/").listed()) == 9
