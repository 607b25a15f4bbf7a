"""Where the fuzzer begins: good input of each kind, and the bad input that is known already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bad_input import environment, messages, workloads


def seeds(name: str) -> Iterator[bytes]:
    """Return inputs of one kind, none of them longer than it needs to be."""
    found = (each.encode() if isinstance(each, str) else each for each in _of(name))
    return (each for each in found if isinstance(each, bytes) and len(each) < 10_000)


def _of(name: str) -> Iterator[Any]:
    if name == "message":
        yield '{"job_id": "exp/a", "steps": 3, "timeout_seconds": 60, "grid": {"lr": [0.1, 1e-3, true, null]}}'
        yield from (body for body in messages.MESSAGES.inputs.values() if body.isascii() or "\\ud800" not in body)
    elif name == "record":
        yield messages.with_envelope()
        yield b'{"step": 3, "sum": 6}'
        yield from messages.RECORDS.inputs.values()
    elif name == "env_file":
        yield from (environment.TEXT, "LRT_LEASE_SECONDS=60\n", *environment.FINE.values())
        yield from environment.FILES.inputs.values()
    else:
        yield b'{"step": 1, "loss": 0.5, "random": [3, [1, 2], null]}'
        yield from workloads.CHECKPOINTS.inputs.values()
        yield from workloads.RESULTS.inputs.values()
