"""Machines in virtual time, on which everything else stands."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.simulation.loop import Loop, run
from tests.simulation.machine import Call, Machine


def test_a_frozen_machine_does_nothing_and_then_goes_on_late() -> None:
    """A wait that ends while the machine is frozen ends when it thaws: nothing of it runs in between."""

    async def story() -> list[float]:
        machine, woke = _machine("a"), []

        async def work() -> None:
            await machine.sleep(10)
            woke.append(asyncio.get_running_loop().time())

        machine.start(work())
        await asyncio.sleep(5)
        machine.freeze()
        await asyncio.sleep(100)
        assert not woke
        machine.thaw()
        await asyncio.sleep(0.1)
        return woke

    assert run(story()) == [105.0]


def test_a_lost_machine_runs_no_handler() -> None:
    """Nothing is cleaned up, as after SIGKILL, as long as the history goes on."""
    cleaned: list[float] = []

    async def story() -> int:
        machine = _machine("a")

        async def work() -> None:
            try:
                await machine.sleep(10)
            finally:
                cleaned.append(asyncio.get_running_loop().time())

        machine.start(work())
        await asyncio.sleep(5)
        machine.lose()
        await asyncio.sleep(1000)
        return len(cleaned)

    assert run(story()) == 0


def test_blocking_calls_overlap_in_virtual_time() -> None:
    """Sleeps, events and pools of threads of the standard library wait in virtual time, and in no real time."""

    def blocking(seconds: float) -> float:
        time.sleep(seconds)
        threading.Event().wait(seconds)
        with ThreadPoolExecutor(4) as pool:
            pool.submit(time.sleep, seconds).result()
        return time.monotonic()

    async def story() -> list[float]:
        calls = [Call(_machine(name), lambda: blocking(100.0)) for name in "ab"]
        return [await call.answer for call in calls]

    began = time.perf_counter()
    assert run(story()) == [300.0, 300.0]
    assert time.perf_counter() - began < 60


def test_a_call_goes_on_when_nobody_waits_for_it() -> None:
    """To cancel the wait for a blocking call does not undo the call, as with threads."""
    done: list[float] = []

    def late() -> None:
        time.sleep(10)
        done.append(time.monotonic())

    async def story() -> list[float]:
        machine = _machine("a")
        try:
            async with asyncio.timeout(1):
                await machine.run(late)
        except TimeoutError:
            pass
        await asyncio.sleep(20)
        return done

    assert run(story()) == [10.0]


def _machine(name: str) -> Machine:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    return Machine(name, loop)
