"""A role that was just made is not known everywhere at once."""

from __future__ import annotations

import pytest

from lrtkit.function.rights import settled
from lrtkit.wire.errors import BadInput

TOO_NEW = "cannot make the function: The role defined for the function cannot be assumed by Lambda."


def refusals(words: str, times: int):
    """A call that is refused so many times and then succeeds."""
    left = [BadInput(words)] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "made"

    return call


def test_a_role_that_is_too_new_is_waited_for():
    """The call is made again, after longer and longer pauses, until the role is known."""
    pauses: list[float] = []
    assert settled(refusals(TOO_NEW, 3), sleep=pauses.append) == "made"
    assert pauses == [1, 2, 4]


def test_patience_has_an_end():
    """A role that is not known after half a minute is told."""
    pauses: list[float] = []
    with pytest.raises(BadInput, match="cannot be assumed"):
        settled(refusals(TOO_NEW, 99), sleep=pauses.append)
    assert 30 <= sum(pauses) < 40


def test_any_other_refusal_is_told_at_once():
    """What will not mend itself is not waited for."""
    pauses: list[float] = []
    with pytest.raises(BadInput, match="too large"):
        settled(refusals("the zip is too large", 1), sleep=pauses.append)
    assert pauses == []
