"""The bench's table, and the twins that its longest figures run on."""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from lrtkit.wire import keys, ledger
from lrtkit.wire.record import Cause, Outcome, Record, State
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import Outgoing
from tests.simulation import loop
from tests.simulation.cloud import CloudTwin
from tests.simulation.node import NodeTwin
from tests.simulation.workload import Pace

ROOT = Path(__file__).parents[1]
STEPS = 30_000


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a module of the bench, which lies at the root and is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"bench.{name}")


def test_a_row_is_judged_by_its_median(bench: Callable[[str], ModuleType]) -> None:
    """One bad round does not decide, and the extremes are told."""
    table = bench("table")
    words, meets = table.below(1)
    good = table.Row("resume", [0.2, 0.3, 9.0], target=words, meets=meets)
    assert str(good).split() == ["resume", "0.30", "s", "(0.20-9.00,", "3)", "<", "1", "s", "yes"]
    assert table.Row("resume", [0.2, 1.0, 9.0], meets=meets).verdict == "NO"
    assert table.at_most(5, "%")[1](5)


def test_an_unknown_figure_is_refused(bench: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]) -> None:
    """The names of the figures are told."""
    assert bench("__main__").main(["speed"]) == 2
    assert "resume" in capsys.readouterr().err


def test_a_distant_server_answers_late_and_in_order(bench: Callable[[str], ModuleType]) -> None:
    """A first answer takes two round trips, the next one; what is under way at once arrives at once, in its order."""
    told = [f"{number:04}".encode() for number in range(100)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with bench("distance").distant(url, 0.1) as far, closing(_connected(far)) as near:
            began = time.monotonic()
            near.sendall(b"".join(told[:50]))
            there, _ = server.accept()
            with closing(there):
                assert _read(there, 200) == b"".join(told[:50])
                assert time.monotonic() - began >= 0.29
                for each in told:
                    there.sendall(each)
                sent = time.monotonic()
                assert _read(near, 400) == b"".join(told)
                assert 0.09 <= time.monotonic() - sent < 5
            assert near.recv(1) == b""


def _connected(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((where.hostname or "", where.port or 0))


def _read(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += connection.recv(size - len(got))
    return got


def test_a_job_goes_on_when_its_node_has_vanished() -> None:
    """In virtual time the real worker resumes from the last checkpoint, when the lease is over."""
    record, result, seconds = loop.run(_vanished())
    assert (record.state, result) == (State.DONE, STEPS)
    first, second = record.attempts
    assert (first.outcome, first.cause, second.outcome) == (Outcome.INTERRUPTED, Cause.NODE_GONE, Outcome.DONE)
    assert first.last_step == second.first_step
    assert STEPS < seconds < STEPS + 120 + 600


async def _vanished() -> tuple[Record, int, float]:
    """Let a node vanish in the middle of a job and another come; return what is left and how long it took."""
    cloud = CloudTwin(up_s_a_byte=0.1, down_s_a_byte=0.1)
    cloud.queue.send(Outgoing(json.dumps({"job_id": "job", "steps": STEPS}), "job", "once"))

    def node(name: str) -> NodeTwin:
        settings = WorkerSettings(imds_url="", idle_exit_s=300)
        return NodeTwin(name, cloud, settings=settings, pace=Pace(file_size=100))

    first = node("first")
    await asyncio.sleep(STEPS / 3)
    first.vanish()
    await node("second").has_stopped()
    record, item = ledger.read(cloud.store, "job").record, cloud.store.get(keys.result("job"))
    assert record
    assert item
    return record, int(item.body), asyncio.get_running_loop().time()
