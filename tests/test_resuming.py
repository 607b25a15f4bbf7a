"""check_resume: what a workload forgets is found before it is sent away."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrtkit.resuming import ForgottenState, check_resume
from lrtkit.wire.errors import BadInput
from lrtkit.wire.workload import Checkpoint, Result
from worker.workloads import argon, slow_sum

Steps = Generator[dict[str, Any], None, Any]
Job = dict[str, Any]


def good(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Keep all that matters: the state of its generator too."""
    dice = np.random.default_rng(job["seed"])
    step, total = 0, 0
    if checkpoint:
        step, total = checkpoint["step"], checkpoint["total"]
        dice.bit_generator.state = checkpoint["dice"]
    while step < job["steps"]:
        step, total = step + 1, total + int(dice.integers(6))
        yield {"step": step, "total": total, "dice": dice.bit_generator.state}
    return total


def forgets_its_generator(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Begin with the seed again after each interruption."""
    dice = np.random.default_rng(job["seed"])
    state = checkpoint or {"step": 0, "total": 0.0}
    while state["step"] < job["steps"]:
        state = {"step": state["step"] + 1, "total": state["total"] + dice.random()}
        yield state
    return state["total"]


def uses_the_global_random(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Seed the module at the start, and then rely on it."""
    if not checkpoint:
        random.seed(job["seed"])
    state = checkpoint or {"step": 0, "total": 0.0}
    while state["step"] < job["steps"]:
        state = {"step": state["step"] + 1, "total": state["total"] + random.random()}
        yield state
    return state["total"]


def uses_the_global_numpy(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Seed numpy's at the start, and then rely on it."""
    if not checkpoint:
        np.random.seed(job["seed"])
    state = checkpoint or {"step": 0, "total": 0.0}
    while state["step"] < job["steps"]:
        state = {"step": state["step"] + 1, "total": state["total"] + np.random.random()}
        yield state
    return state["total"]


def forgets_its_place(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Go through the data from the start again after each interruption."""
    state = checkpoint or {"step": 0, "total": 0}
    batches = iter([3, 1, 4, 1, 5, 9, 2, 6])
    while state["step"] < job["steps"]:
        state = {"step": state["step"] + 1, "total": state["total"] + next(batches)}
        yield state
    return state["total"]


def writes_files(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Keep its numbers in a file beside the state."""
    numbers = checkpoint.path("numbers/all").read_text().split() if checkpoint else []
    while len(numbers) < job["steps"]:
        numbers.append(str(len(numbers)))
        yield Checkpoint({"step": len(numbers)}, {"numbers/all": writer(" ".join(numbers))})
    return Result(len(numbers), {"all": writer(" ".join(numbers))})


def forgets_its_file(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Keep its numbers in a file, and do not read it again."""
    step, numbers = checkpoint["step"] if checkpoint else 0, []
    while step < job["steps"]:
        step += 1
        numbers.append(str(step))
        yield Checkpoint({"step": step}, {"numbers": writer(" ".join(numbers))})
    return step


def forgets_the_best(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Keep for the end what is in no checkpoint."""
    step, best = checkpoint["step"] if checkpoint else 0, []
    while step < job["steps"]:
        step += 1
        best.append(step)
        yield {"step": step}
    return sum(best)


def reads_no_checkpoint(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Begin at the beginning every time."""
    for step in range(job["steps"]):
        yield {"step": step}
    return job["steps"]


def skips_a_step(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Take the step of the checkpoint for the next one."""
    step = checkpoint["step"] + 1 if checkpoint else 0
    while step < job["steps"]:
        step += 1
        yield {"step": step}
    return "done"


def writer(text: str) -> Callable[[Path], object]:
    """Return what writes a text to a path."""
    return lambda path: path.write_text(text)


JOB = {"seed": 1, "steps": 5}


@pytest.mark.parametrize("run", [good, writes_files])
def test_a_workload_that_keeps_everything_agrees(run: Any) -> None:
    """The result and the number of checkpoints come back, with a sentence."""
    agreement = check_resume(run, JOB)
    assert agreement.checkpoints == 5
    assert str(agreement) == "Stopped and resumed at each of 5 checkpoints, the run gives the same to the last bit."


@pytest.mark.parametrize(
    ("run", "where", "what"),
    [
        (forgets_its_generator, "checkpoint 2 differs from an uninterrupted run in total", "dice (random state)"),
        (uses_the_global_random, "checkpoint 2 differs from an uninterrupted run in total", "random state of random"),
        (uses_the_global_numpy, "checkpoint 2 differs from an uninterrupted run in total", "state of numpy.random"),
        (forgets_its_place, "checkpoint 2 differs from an uninterrupted run in total", "batches (data order)"),
        (forgets_its_file, "checkpoint 2 differs from an uninterrupted run in numbers", "numbers (data order)"),
        (forgets_the_best, "the result differs from an uninterrupted run's", "best (data order)"),
        (reads_no_checkpoint, "checkpoint 2 differs from an uninterrupted run in step", ""),
        (skips_a_step, "checkpoint 2 differs from an uninterrupted run in step", ""),
    ],
)
def test_what_was_forgotten_is_named(run: Any, where: str, what: str) -> None:
    """The first checkpoint that differs, and what the run used on the way there and had otherwise."""
    with pytest.raises(ForgottenState) as caught:
        check_resume(run, JOB)
    assert where in str(caught.value)
    assert what in str(caught.value)


def test_runs_of_different_lengths_differ() -> None:
    """A step that is not in the state is never reached by the resumed run."""

    def endless(job: Job, checkpoint: Checkpoint | None) -> Steps:
        for _ in range(job["steps"]):
            yield {}
        return None

    with pytest.raises(ForgottenState, match=r"5 checkpoints uninterrupted, 6 resumed.*the step is not in the state"):
        check_resume(endless, JOB)


def test_only_a_generator_can_be_checked() -> None:
    """Anything else is told what to be."""
    with pytest.raises(BadInput, match=r"is no generator function\. Try: def run"):
        check_resume(len, JOB)  # type: ignore[arg-type]


def test_the_guides_example_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum of the numbers comes out as it should."""
    monkeypatch.setenv("STEP_SECONDS", "0")
    assert check_resume(slow_sum.run, {"steps": 10}).result == {"value": 55, "files": {}}


def test_the_argon_workload_forgets_nothing() -> None:
    """Positions, velocities and thermostat come back to the last bit."""
    job = {"temperature": 1.5, "density": 0.3, "steps": 400, "equilibration": 200, "seed": 1, "particles": 108}
    assert check_resume(argon.run, job).checkpoints == 4


@pytest.mark.parametrize("run", [good, forgets_its_place])
def test_the_global_random_states_are_given_back(run: Any) -> None:
    """Whoever checks a workload in a notebook goes on with the random numbers of before, whatever was found."""
    before = random.getstate(), repr(np.random.get_state())
    with suppress(ForgottenState):
        check_resume(run, JOB)
    assert (random.getstate(), repr(np.random.get_state())) == before
