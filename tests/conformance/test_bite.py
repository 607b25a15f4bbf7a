"""The rules bite: whatever is taken out of the twins, some rule misses it."""

# ruff: noqa: ARG005  (what stands in for a method takes what the method takes)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.catalogue import ALL
from tests.conformance.places import on_twins
from tests.conformance.rules import Verdict
from tests.simulation import fifo, s3_rules, sqs, sqs_account, sqs_rules
from tests.simulation.fifo import Fifo
from tests.simulation.letters import Group, Place
from tests.simulation.objects import Objects
from tests.simulation.s3 import S3Twin
from tests.simulation.sqs import SqsTwin

FOREVER = 10**9


def _changed(original: Callable[..., Any], change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method after which a change is made to its queue or to what it gave."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        value = original(self, *args, **kwargs)
        change(self, *args)
        return value

    return method


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "a held message does not block its group": (
        Group,
        "in_flight",
        property(lambda group: 0, lambda group, count: None),
    ),
    "deduplication ends with a delete": (Fifo, "drop", _changed(Fifo.drop, lambda queue, *_: queue._sent.clear())),
    "deduplication never ends": (fifo, "DEDUPLICATION_S", FOREVER),
    "deduplication is by group": (Fifo, "known", lambda queue, key, now: None),
    "any handle will do": (sqs, "_holder", lambda queue, *args: (queue.letters.get(args[1].split(":")[0]), True)),
    "a lease can go on for ever": (sqs, "LEASE_CAP_S", FOREVER),
    "an extension begins the twelve hours anew": (
        Fifo,
        "hide",
        _changed(Fifo.hide, lambda queue, letter, seconds, now: setattr(letter, "received", now)),
    ),
    "nothing gets too old": (Fifo, "_expiry", lambda queue: float("inf")),
    "what is in flight does not get too old": (
        Fifo,
        "_expiry",
        lambda queue, original=Fifo._expiry: float("inf") if queue.counts[Place.IN_FLIGHT] else original(queue),
    ),
    "a dead letter is received once more": (
        Fifo,
        "_max_receives",
        lambda queue, original=Fifo._max_receives: original(queue) + 1,
    ),
    "a dead letter stays": (Fifo, "_max_receives", lambda queue: FOREVER),
    "attempts are not known again": (Fifo, "repeated", lambda queue, attempt_id, now: None),
    "a repeated attempt holds no longer": (
        SqsTwin,
        "_again",
        lambda twin, queue, attempt_id, hold_s, now: queue.repeated(attempt_id, now),
    ),
    "any number can be in flight": (Fifo, "_room", lambda queue: FOREVER),
    "nobody is woken": (Fifo, "next_change", lambda queue: float("inf")),
    "attributes have no length": (sqs_rules, "size_of", lambda entry: len(entry["MessageBody"])),
    "any characters will do": (sqs_rules, "FORBIDDEN", sqs_rules.re.compile("(?!)")),
    "nobody waits for a minute": (sqs_account, "WAIT_AGAIN_S", 0),
    "conditions are not looked at": (S3Twin, "_check_condition", lambda *_: None),
    "every ETag matches": (s3_rules, "matches", lambda etag, thing: True),
    "a key takes any number of writes": (
        S3Twin,
        "_write",
        lambda twin, operation, bucket, key, thing, given, original=S3Twin._write: (
            twin._check_condition(operation, bucket.things.get(key), thing.written, given),
            bucket.put(key, thing),
            {"ETag": thing.etag},
        )[-1],
    ),
    "a page has no end": (
        Objects,
        "page",
        lambda bucket, prefix, delimiter, after, most, original=Objects.page: original(
            bucket, prefix, delimiter, after, FOREVER
        ),
    ),
    "keys come in the order in which they were put": (
        Objects,
        "put",
        lambda bucket, key, thing: (bucket._keys.append(key), bucket.things.update({key: thing})),
    ),
    "a delete leaves the object": (Objects, "drop", lambda bucket, key: None),
    "parts may be small": (s3_rules, "LEAST_PART", 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_twin_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any of its protections taken out, the twin breaks a rule."""
    where, name, instead = FAULTS[fault]
    monkeypatch.setattr(where, name, instead)
    assert any(on_twins(rule).verdict is Verdict.DIFFERS for rule in ALL)
