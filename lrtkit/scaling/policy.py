"""What the autoscaler is told to keep to."""

from __future__ import annotations

import dataclasses
import os
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lrtkit.wire.clock import iso
from lrtkit.wire.errors import BadInput

MOST_REPLICAS = 500
"""What the SaladCloud API accepts for one container group."""


class Rule(StrEnum):
    """How the number of replicas follows from the number of jobs."""

    DEFAULT = "default"
    GUIDE = "guide"
    """Waiting and running jobs, between minimum and maximum, and nothing else."""


@dataclass(frozen=True)
class Policy:
    """The bounds of the group and the rule between them; what is None is not asked for.

    ``jobs_per_replica``: how many open jobs there are to be before there is another replica.
    ``cool_down_s``: where the need swings, shrink only to the most of so long; on SaladCloud 80 % of the replicas
    take less to come, so that an idle one is kept about as long as the next would have to be waited for.
    ``step_limit``: how many replicas may come or go in one step.
    ``job_s``: how long a job takes; with it no replica is started that would come too late to be of use.
    ``startup_s``: how long a replica takes to come; on SaladCloud half of them take more than ten minutes.
    ``heed_quota``: stay within what the organization's quota leaves.
    ``max_usd_per_hour``: stay within a price, by today's price of the group's GPU class.
    ``finish_by``: no more replicas than finish by then (seconds since 1970, needs ``job_s``).
    ``hours``: only between two hours of the day in ``time_zone``, such as ``(22, 6)``.
    The rule of the ``guide`` heeds the bounds alone.
    """

    min_replicas: int = 0
    max_replicas: int = 10
    jobs_per_replica: float = 1.0
    rule: Rule = Rule.DEFAULT
    cool_down_s: float = 1200.0
    step_limit: int = 100
    job_s: float | None = None
    startup_s: float = 600.0
    heed_quota: bool = False
    max_usd_per_hour: float | None = None
    finish_by: float | None = None
    hours: tuple[int, int] | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        problems = [words for sound, words in self._checks() if not sound]
        if problems:
            raise BadInput(f"no group can be scaled like this: {'; '.join(problems)}. Try: mend the policy")

    def _checks(self) -> list[tuple[bool, str]]:
        bounds = f"not {self.min_replicas} and {self.max_replicas}"
        return [
            (
                0 <= self.min_replicas <= self.max_replicas <= MOST_REPLICAS,
                f"replicas must be 0 <= minimum <= maximum <= {MOST_REPLICAS}, {bounds}",
            ),
            (self.jobs_per_replica > 0, f"jobs_per_replica must be more than 0, not {self.jobs_per_replica:g}"),
            (self.rule in set(Rule), f"rule must be one of {', '.join(Rule)}, not {self.rule}"),
            (self.cool_down_s >= 0, "cool_down_s must be 0 or more"),
            (self.step_limit >= 1, f"step_limit must be 1 or more, not {self.step_limit}"),
            (self.job_s is None or self.job_s > 0, "job_s must be more than 0"),
            (self.startup_s >= 0, "startup_s must be 0 or more"),
            (self.max_usd_per_hour is None or self.max_usd_per_hour >= 0, "max_usd_per_hour must be 0 or more"),
            (self.finish_by is None or self.job_s is not None, "finish_by needs job_s, the seconds that a job takes"),
            (_are_hours(self.hours), f"hours must be two different hours from 0 to 24, not {self.hours}"),
            (_is_zone(self.time_zone), f"time_zone must be one such as Europe/Vienna, not {self.time_zone!r}"),
        ]

    @classmethod
    def guide(cls, min_replicas: int = 0, max_replicas: int = 250) -> Policy:
        """Return the rule of SaladCloud's guide by its name."""
        return cls(min_replicas, max_replicas, rule=Rule.GUIDE)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Policy:
        """Read ``min_replicas`` and ``max_replicas``, and whichever other field is set, by its name in lower case."""
        given = {name: env[name] for name in _PARSERS if env.get(name)}
        missing = [name for name in ("min_replicas", "max_replicas") if name not in given]
        problems = [f"{name} is missing (a whole number from 0)" for name in missing]
        values = {name: _parse(name, text, problems) for name, text in given.items()}
        if problems:
            raise BadInput(f"the autoscaler's environment is not complete: {'; '.join(problems)}")
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """Return what ``from_env`` reads: the bounds, and whatever else is not as by default."""
        fields = [each for each in dataclasses.fields(self) if each.name in _BOUNDS or self._is_set(each)]
        return {each.name: _text(each.name, getattr(self, each.name)) for each in fields}

    def _is_set(self, each: dataclasses.Field[Any]) -> bool:
        return bool(getattr(self, each.name) != each.default)


_BOUNDS = ("min_replicas", "max_replicas")


def _are_hours(hours: tuple[int, int] | None) -> bool:
    return hours is None or (len(hours) == 2 and hours[0] != hours[1] and all(0 <= hour <= 24 for hour in hours))


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and zoneinfo.ZoneInfo(name) is not None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return name == "UTC"  # where a machine has no table of zones


def _parse(name: str, text: str, problems: list[str]) -> Any:
    parse, must = _PARSERS[name]
    try:
        return parse(text)
    except ValueError:
        problems.append(f"{name} is {text!r} but must be {must}")
        return None


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _hours(text: str) -> tuple[int, int]:
    begin, end = (int(hour) for hour in text.split("-"))
    return begin, end


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.timestamp()


def _text(name: str, value: Any) -> str:
    if name == "finish_by":
        return iso(value)
    return "-".join(map(str, value)) if name == "hours" else str(value).lower() if name == "heed_quota" else str(value)


_NUMBER = (float, "a number")
_WHOLE = (int, "a whole number")
_PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "min_replicas": _WHOLE,
    "max_replicas": _WHOLE,
    "jobs_per_replica": _NUMBER,
    "rule": (Rule, f"one of {', '.join(Rule)}"),
    "cool_down_s": _NUMBER,
    "step_limit": _WHOLE,
    "job_s": _NUMBER,
    "startup_s": _NUMBER,
    "heed_quota": (_boolean, "true or false"),
    "max_usd_per_hour": _NUMBER,
    "finish_by": (_moment, "a time such as 2026-11-27T18:00:00Z"),
    "hours": (_hours, "two hours of the day such as 22-6"),
    "time_zone": (str, "a name such as Europe/Vienna"),
}
