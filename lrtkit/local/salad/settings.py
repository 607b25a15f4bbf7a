"""How the local SaladCloud behaves; can be changed while it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lrtkit.wire.errors import BadInput


class Kind(StrEnum):
    """What can happen to a replica."""

    GONE = "gone"
    """The node disappears (SIGKILL)."""
    ZOMBIE = "zombie"
    """The node is cut off and comes back later, beside its replacement (SIGSTOP, then SIGCONT)."""
    STOP = "stop"
    """The replica is told to stop, as on a scale-in (SIGTERM, grace, SIGKILL)."""


@dataclass(frozen=True)
class Settings:
    """Times in seconds, the rate per hour that a replica runs."""

    startup_s: float = 3
    """From the wish for a replica to its first process."""
    interruptions_per_hour: float = 0
    """The rate for each running replica; interruptions come at random (Poisson)."""
    kinds: Mapping[str, float] = field(default_factory=lambda: {Kind.GONE: 3.0, Kind.ZOMBIE: 1.0, Kind.STOP: 1.0})
    """How often each kind comes, relative to the others."""
    zombie_s: float = 60
    """How long a zombie stands still."""
    linger_s: float = 10
    """How long a zombie then runs on before its node is turned off."""
    grace_s: float = 10
    """From SIGTERM to SIGKILL of a replica."""
    replicas_quota: int = 100
    """How many replicas all groups together may ask for."""
    requests_per_minute: int = 0
    """How many requests the key has; the real one has 240, and 0 stands for as many as this machine answers."""
    seed: int = 0
    """Where the random choices begin."""

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """Return the settings with these changes; raise BadInput that names everything wrong with them."""
        problems = [problem for name, value in changes.items() if (problem := _problem(name, value))]
        if problems:
            raise BadInput(f"The local SaladCloud cannot be set like this: {'; '.join(problems)}")
        return dataclasses.replace(self, **changes)


def _problem(name: str, value: object) -> str:
    if name not in _CHECKS:
        return f"there is no setting {name!r} (there are {', '.join(_CHECKS)})"
    fits, must = _CHECKS[name]
    return "" if fits(value) else f"{name} must be {must}, not {value!r}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _is_count(value: object) -> bool:
    return _is_number(value) and isinstance(value, int)


def _is_mix(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return set(value) <= set(Kind) and all(map(_is_number, value.values())) and sum(value.values()) > 0


_SECONDS = (_is_number, "a number of seconds from 0")
_CHECKS: dict[str, tuple[Callable[[object], bool], str]] = {
    "startup_s": _SECONDS,
    "interruptions_per_hour": (_is_number, "a number from 0"),
    "kinds": (_is_mix, f"weights from 0, not all 0, for some of {', '.join(Kind)}"),
    "zombie_s": _SECONDS,
    "linger_s": _SECONDS,
    "grace_s": _SECONDS,
    "replicas_quota": (_is_count, "a whole number from 0"),
    "requests_per_minute": (_is_count, "a whole number from 0"),
    "seed": (_is_count, "a whole number from 0"),
}
