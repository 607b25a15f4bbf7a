"""The machine that the worker runs on: who it is, and its SaladCloud metadata service."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any, Protocol

import urllib3

from lrtkit.wire.clock import Clock
from lrtkit.wire.record import Holder
from worker.report import Report

IDLE = 0
FINAL_UPLOAD = 100_000
"""Deletion costs: SaladCloud removes the lowest first when it scales in, and takes 0 to 100,000."""

PATIENCE_S = 1.0
"""The metadata service is a link away; an answer that takes longer is not waited for."""

PAUSE_S = 60.0
"""How long a metadata service that did not answer is left alone, so that it holds up no job."""

BAD_NODE_FAILURES = 3
"""Different jobs failing one after the other on a machine on which no job succeeds speak against the machine."""


def holder(env: Mapping[str, str] = os.environ) -> Holder:
    """Return who makes the attempts here: SaladCloud's ids on its nodes, host and process elsewhere."""
    host = socket.gethostname()
    worker = f"{env.get('SALAD_INSTANCE_ID') or host}-{os.getpid()}"
    return Holder(worker, env.get("SALAD_MACHINE_ID") or host)


class Http(Protocol):
    """What this needs of a connection to the metadata service."""

    def request(self, method: str, url: str, *, json: Any, headers: Mapping[str, str]) -> Any:
        """Make a request and return its answer, which has a ``status``."""


class Node:
    """The metadata service of a node; off SaladCloud (an empty URL) every call does nothing."""

    def __init__(self, url: str, clock: Clock, report: Report, *, http: Http | None = None) -> None:
        self._url = url
        self._clock = clock
        self._report = report
        self._http: Http = http or urllib3.PoolManager(timeout=PATIENCE_S, retries=False)
        self._left_alone_until = 0.0
        self._cost = IDLE
        self._suspects: list[str] = []

    async def set_deletion_cost(self, cost: int) -> None:
        """Say how much would be lost if this node were removed now."""
        if cost != self._cost and await self._call("PUT", "deletion-cost", {"deletion_cost": cost}):
            self._cost = cost

    async def succeeded(self) -> None:
        """Take note that a job went well here."""
        self._suspects.clear()

    async def failed(self, job_id: str, reason: str, *, elsewhere: bool) -> None:
        """Take note that a job failed here, and ask for another node when one job after the other does.

        A job that has failed ``elsewhere`` too says nothing against this node.
        """
        if elsewhere or job_id in self._suspects:
            return
        self._suspects.append(job_id)
        if len(self._suspects) >= BAD_NODE_FAILURES:
            why = f"{len(self._suspects)} different jobs failed here in a row, the last with: {reason}"
            self._report("reallocate", reason=why)
            self._suspects.clear()
            await self._call("POST", "reallocate", {"reason": why[:1000]})

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> bool:
        if not self._url or self._clock.monotonic() < self._left_alone_until:
            return False
        try:
            answer = await self._clock.run(
                self._http.request, method, f"{self._url}/v1/{path}", json=body, headers={"Metadata": "true"}
            )
        except urllib3.exceptions.HTTPError as error:
            self._left_alone_until = self._clock.monotonic() + PAUSE_S
            self._report("metadata-service", call=path, error=str(error))
            return False
        return bool(answer.status < 300)
