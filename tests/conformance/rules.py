"""A rule: a function that holds a service to its documentation, and what came of it on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from lrtkit.wire import aws
from lrtkit.wire.errors import LrtError

F = TypeVar("F", bound=Callable[..., None])


class Verdict(StrEnum):
    """What came of a rule on a server."""

    HOLDS = "yes"
    DIFFERS = "no"


@dataclass(frozen=True)
class Outcome:
    """The verdict, and what was seen instead."""

    verdict: Verdict
    seen: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule of a service, and how long it takes to see. The kit relies on some; those have to hold on the twin."""

    service: str
    check: Callable[[Any], None]
    relied: bool
    takes_s: float

    @property
    def id(self) -> str:
        """Its name, in words."""
        return self.check.__name__.replace("_", "-")

    @property
    def source(self) -> str:
        """What the documentation says, in a phrase."""
        return " ".join((self.check.__doc__ or "").split())

    def tried(self, desk: Any) -> Outcome:
        """Return what came of it there."""
        try:
            self.check(desk)
        except (AssertionError, ClientError, BotoCoreError, pytest.fail.Exception, TypeError, KeyError) as error:
            return Outcome(Verdict.DIFFERS, f"{type(error).__name__}: {error}".split("\n")[0])
        return Outcome(Verdict.HOLDS)


RULES: list[Rule] = []


def rule(service: str, *, relied: bool = False, takes_s: float = 0) -> Callable[[F], F]:
    """Make a rule of a function; ``relied``: the kit counts on it; ``takes_s``: if more than some seconds."""

    def made(check: F) -> F:
        RULES.append(Rule(service, check, relied, takes_s))
        return check

    return made


@contextmanager
def refused(code: str = "", *, saying: str = "", kind: type[LrtError] | None = None) -> Iterator[None]:
    """Expect a refusal: of this code, with these words, and of this kind for the kit."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert not code or error["Code"] == code, error
    assert saying.lower() in error["Message"].lower(), error
    assert kind is None or aws.classify(caught.value) is kind, error
