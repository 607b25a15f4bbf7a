"""The bench's table, and the twins that its longest figures run on."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from lrtkit.wire import keys, ledger
from lrtkit.wire.record import Cause, Outcome, Record, State
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import Outgoing
from tests.simulation import clock
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


def test_a_job_goes_on_when_its_node_has_vanished() -> None:
    """In virtual time the real worker resumes from the last checkpoint, when the lease is over."""
    record, result, seconds = clock.run(_vanished())
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
