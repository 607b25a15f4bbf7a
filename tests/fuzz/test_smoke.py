"""The fuzzer's properties on a few thousand inputs; ``make fuzz`` looks for as long as it is told, led by coverage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.properties import PROPERTIES
from tests.fuzz.seeds import seeds


@pytest.mark.parametrize(("name", "check"), PROPERTIES.items(), ids=PROPERTIES)
def test_known_input(name: str, check: Callable[[bytes], None]) -> None:
    """What is known to be good or bad is taken or refused in order."""
    for data in seeds(name):
        check(data)


@pytest.mark.parametrize(("name", "check"), PROPERTIES.items(), ids=PROPERTIES)
def test_damaged_input(name: str, check: Callable[[bytes], None]) -> None:
    """A value that survives or the documented error, whatever has happened to an input on its way."""

    known = sorted(seeds(name))

    @settings(max_examples=1_000)
    @given(st.sampled_from(known), st.integers(0, 2**32))
    def any_input(data: bytes, seed: int) -> None:
        check(mutated(data, seed))

    any_input()
