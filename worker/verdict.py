"""What becomes of a message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Acknowledge:
    """The message has done its duty: delete it."""


@dataclass(frozen=True)
class Release:
    """Somebody is to take the job again, after a delay."""

    delay_s: float = 0.0


@dataclass(frozen=True)
class Gone:
    """The message is no longer in the queue: nothing is left to do."""


Verdict = Acknowledge | Release | Gone
