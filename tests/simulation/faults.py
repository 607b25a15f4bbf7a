"""The fault menu: what can befall a call, how often in this history, and when whole services are away."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)

URL = "https://service.example"

RENEWAL = "change_message_visibility"
RECEIVE = "receive_message"
READS = frozenset({"get_object", "download_file"})
STALLS_S = (60.0, 140.0)
"""How long the two stalled renewals of a published run took."""


@dataclass(frozen=True)
class Trouble:
    """What befalls one call: how often its request ``arrives``, and what the caller gets in place of the answer."""

    kind: str
    request_s: float = 0.0
    arrives: int = 1
    error: Exception | None = None
    answer_s: float = 0.0
    spoils: bool = False
    """Whether what was read is torn or has a flipped bit, and nothing says so."""


@dataclass(frozen=True)
class Outage:
    """A time in which a service does not answer, in seconds since the history began."""

    service: str
    begins: float
    ends: float


@dataclass(frozen=True)
class Kill:
    """A machine's last call: its power fails right before it, or right after its effect."""

    machine: str
    number: int
    after: bool


@dataclass(frozen=True)
class Weather:
    """How much goes wrong: the share of calls that meet trouble, that kill, and all outages."""

    trouble: float = 0.0
    deadly: float = 0.0
    spoiled: float = 0.0
    outages: Sequence[Outage] = ()
    kill: Kill | None = None
    ends: float = float("inf")
    """When the weather becomes fair for good."""


@dataclass
class Faults:
    """Draws what befalls each call, from the weather and chance."""

    weather: Weather
    rng: random.Random
    counts: dict[str, int] = field(default_factory=dict)
    _doomed: dict[str, int] = field(default_factory=dict)

    def doom(self, machine: str, number: int) -> None:
        """Let a machine die at one of its calls, before or after it."""
        self._doomed[machine] = number

    def number(self, machine: str) -> int:
        """Count a machine's call."""
        self.counts[machine] = self.counts.get(machine, 0) + 1
        return self.counts[machine]

    def kills(self, machine: str, number: int, at: float, *, after: bool) -> bool:
        """Tell whether the machine loses its power right before this call, or right after its effect."""
        planned = self.weather.kill
        if self._doomed.get(machine) == number:
            return after or self.rng.random() < 0.5
        if planned:
            return planned == Kill(machine, number, after)
        return at < self.weather.ends and self.rng.random() < self.weather.deadly / 2

    def trouble(self, service: str, operation: str, at: float) -> Trouble | None:
        """Return what befalls a call at a time, if anything does."""
        if at >= self.weather.ends:
            return None
        if any(each.service == service and each.begins <= at < each.ends for each in self.weather.outages):
            answer_s = self.rng.choice((0.0, 0.0, self.rng.uniform(1, 9)))  # most refuse at once, some keep silent
            return Trouble("service away", arrives=0, error=self._no_connection(), answer_s=answer_s)
        if self.rng.random() >= self.weather.trouble:
            return None
        kinds = _menu(operation)
        (kind,) = self.rng.choices(list(kinds), list(kinds.values()))
        return self._drawn(kind, service, operation)

    def spoils(self, at: float) -> bool:
        """Tell whether a file that has just been written does not keep what it was given."""
        return at < self.weather.ends and self.rng.random() < self.weather.spoiled

    def _drawn(self, kind: str, service: str, operation: str) -> Trouble:
        rng = self.rng
        patience_s = rng.uniform(5, 17) if service == "sqs" else rng.uniform(5, 93)
        late = ReadTimeoutError(endpoint_url=URL)
        return {
            "slow": lambda: Trouble(kind, request_s=rng.uniform(0.5, 20), answer_s=rng.uniform(0, 10)),
            "renewal stalled": lambda: Trouble(kind, request_s=rng.choice(STALLS_S)),
            "429": lambda: Trouble(kind, arrives=0, error=_throttled(service, operation), answer_s=1.5),
            "500": lambda: Trouble(kind, arrives=0, error=_broken(operation), answer_s=2.0),
            "timeout": lambda: Trouble(kind, arrives=0, error=late, answer_s=patience_s),
            "answer lost": lambda: Trouble(kind, error=late, answer_s=patience_s),
            "repeated": lambda: Trouble(kind, arrives=2, answer_s=rng.uniform(1, 6)),
            "half a body": lambda: Trouble(kind, error=_half(), answer_s=1.0),
            "spoiled read": lambda: Trouble(kind, spoils=True),
            "delivered twice": lambda: Trouble(kind),
        }[kind]()

    def _no_connection(self) -> BotoCoreError:
        kind = self.rng.choice((EndpointConnectionError, ConnectTimeoutError))
        error: BotoCoreError = kind(endpoint_url=URL, error="no route")
        return error


_COMMON = {"slow": 4, "429": 2, "500": 2, "timeout": 3, "answer lost": 4, "repeated": 3}
_OF_READS = _COMMON | {"half a body": 4, "spoiled read": 4}
_OF_RENEWALS = _COMMON | {"renewal stalled": 12}
_OF_RECEIVES = _COMMON | {"delivered twice": 40}


def _menu(operation: str) -> Mapping[str, int]:
    """Return the kinds of trouble that an operation can meet, with their weights."""
    if operation in READS:
        return _OF_READS
    return {RENEWAL: _OF_RENEWALS, RECEIVE: _OF_RECEIVES}.get(operation, _COMMON)


def _throttled(service: str, operation: str) -> ClientError:
    code, status = ("RequestThrottled", 403) if service == "sqs" else ("TooManyRequests", 429)
    return _answer(operation, code, "Reduce your request rate.", status)


def _broken(operation: str) -> ClientError:
    return _answer(operation, "InternalError", "We encountered an internal error. Please try again.", 500)


def _half() -> IncompleteReadError:
    return IncompleteReadError(actual_bytes=17, expected_bytes=1000)


def _answer(operation: str, code: str, message: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)
