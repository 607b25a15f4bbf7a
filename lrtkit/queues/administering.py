"""Calls of whoever sets up, rotates and tears down, and what to do where one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lrtkit.wire import aws
from lrtkit.wire.errors import Denied

RIGHTS = "an administrator's keys, with the rights that notebook 01 lists"


@contextmanager
def administered(what: str) -> Iterator[None]:
    """Turn any error of botocore into ours, saying ``what`` was tried; a refusal says which keys it takes."""
    try:
        with aws.explained(what):
            yield
    except Denied as error:
        raise advised(error, RIGHTS) from error.__cause__


def advised(error: Denied, advice: str) -> Denied:
    """Return a refusal with better advice, where what it has is for keys of an env file."""
    return Denied(str(error).replace(aws.ADVICE[Denied], advice))
