"""The metadata service of a node."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lrtkit.wire.record import Failure, Holder, State
from tests.serving import LOOPBACK, serving
from tests.waiting import until
from tests.worker.lab import NOW, Lab, claimed


class Metadata(ThreadingHTTPServer):
    """A metadata service that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(LOOPBACK, Call)
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.url = ""

    @property
    def costs(self) -> list[int]:
        """The deletion costs that were set, in their order."""
        return [body["deletion_cost"] for path, _, body in self.calls if path == "/v1/deletion-cost"]

    @property
    def reasons(self) -> list[str]:
        """The reasons for which another node was asked for."""
        return [body["reason"] for path, _, body in self.calls if path == "/v1/reallocate"]


class Call(BaseHTTPRequestHandler):
    """One call, which is taken note of."""

    server: Metadata

    def do_any(self) -> None:
        """Take note, and answer as SaladCloud does."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, self.headers["Metadata"], body))
        self.send_response(204)
        self.end_headers()

    do_PUT = do_POST = do_any  # noqa: N815  (as the base class looks for them)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    """A metadata service of this node's own."""
    service = Metadata()
    with serving(service) as service.url:
        yield service


def test_the_deletion_cost_says_what_would_be_lost(lab: Lab, metadata: Metadata) -> None:
    """It rises with unsaved work, is highest in the final upload, and zero again when the worker is idle."""
    lab.send(steps=1, gate_after=1)
    lab.worker(imds_url=metadata.url)
    until(lambda: len(metadata.costs) >= 3)
    lab.open("count")
    until(lambda: metadata.costs[-1] == 0)
    *rising, final, idle = metadata.costs
    assert 1 <= rising[0] < rising[-1] < 1000
    assert (sorted(rising), final, idle) == (rising, 100_000, 0)
    assert {header for _, header, _ in metadata.calls} == {"true"}


def test_a_node_on_which_one_job_after_the_other_fails_is_given_back(lab: Lab, metadata: Metadata) -> None:
    """After three different jobs, with the reason; a job that goes well in between speaks for the node."""
    for number, failures in enumerate([1, 1, 0, 1, 1]):
        lab.send(f"job-{number}", failures=failures)
    worker = lab.worker("fails_at", max_failures=1, imds_url=metadata.url)
    lab.drained()
    assert metadata.reasons == []
    lab.send("job-5", failures=1)
    assert worker.said("reallocate")
    until(lambda: metadata.reasons)
    assert metadata.reasons == ["3 different jobs failed here in a row, the last with: failure 1"]


def test_a_job_that_fails_everywhere_says_nothing_about_the_node(lab: Lab, metadata: Metadata) -> None:
    """Jobs that had failed on another machine, and one job that fails again and again, are not counted."""
    once = claimed(failures=9).failed(Failure("ValueError", "failure 1"), final=False, now=NOW)
    somebody = Holder("somebody", "elsewhere")
    twice = once.claimed(somebody, fingerprint=str(once.fingerprint), steps=None, now=NOW)
    failed_elsewhere = twice.failed(Failure("ValueError", "failure 2"), final=False, now=NOW)
    for number in range(3):
        lab.change(lambda _: failed_elsewhere, f"job-{number}")
        lab.send(f"job-{number}", failures=9)
    lab.send("job-3", failures=9)
    lab.worker("fails_at", max_failures=3, imds_url=metadata.url)
    lab.drained()
    assert [lab.record(f"job-{number}").counts.failures for number in range(4)] == [3, 3, 3, 3]
    assert metadata.reasons == []


@pytest.mark.parametrize("kind", ["refuses", "silent"])
def test_a_dead_metadata_service_costs_nothing(lab: Lab, kind: str) -> None:
    """It is asked once, left alone for a while, and no job waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if kind == "silent" else 9
        lab.send("one", steps=1)
        lab.send("two", steps=1)
        worker = lab.serve(imds_url=f"http://127.0.0.1:{port}")
    assert {lab.record(job_id).state for job_id in ("one", "two")} == {State.DONE}
    assert len(worker.events("metadata-service")) == 1
