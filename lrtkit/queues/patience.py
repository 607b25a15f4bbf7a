"""Waiting for what the services do in their own time, with a word on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")

FIRST_S = 5.0
LONGEST_S = 90.0
"""SQS keeps a deleted queue's name for 60 s; a change may take as long to spread, and new users and keys seconds."""


class Pause(Protocol):
    """Waits for so many seconds, and says why."""

    def __call__(self, seconds: float, why: str) -> None:
        """Wait."""


def told(seconds: float, why: str) -> None:
    """Print why, and wait."""
    print(f"{why}: waiting {seconds:.0f} s", flush=True)
    time.sleep(seconds)


def patiently(call: Callable[[], T], why: str, passes: Callable[[ClientError], bool], pause: Pause) -> T:
    """Make a call again for as long as its refusal is one that passes; after 90 s that is raised all the same."""
    waited_s, wait_s = 0.0, FIRST_S
    while True:
        try:
            return call()
        except ClientError as error:
            if not passes(error) or waited_s >= LONGEST_S:
                raise
        pause(wait_s, why)
        waited_s += wait_s
        wait_s = min(2 * wait_s, max(FIRST_S, LONGEST_S - waited_s))


def code(error: ClientError) -> str:
    """Return the code of a refusal, without the name space that SQS may put before it."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]


def message(error: ClientError) -> str:
    """Return the words of a refusal."""
    return str(error.response.get("Error", {}).get("Message", ""))
