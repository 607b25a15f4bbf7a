"""Checks that a workload forgets nothing when it is interrupted, before it is sent to machines that do.

A generator is run whole, then once more so that it is stopped and resumed at every checkpoint.
Whatever the second run makes otherwise was not in the checkpoint.
"""

from __future__ import annotations

import inspect
import json
import pickle
import random
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from lrtkit.wire.errors import BadInput, LrtError
from lrtkit.wire.workload import Checkpoint, File, Result, files_in, place

Run = Callable[[dict[str, Any], Checkpoint | None], Generator[Mapping[str, Any], None, Any]]


class ForgottenState(LrtError):
    """A resumed run differs from an uninterrupted one: something is missing in the checkpoints."""


@dataclass(frozen=True)
class Agreement:
    """What was compared, and that it agreed."""

    checkpoints: int
    result: Any

    def __str__(self) -> str:
        return f"Stopped and resumed at each of {self.checkpoints} checkpoints, the run gives the same to the last bit."


@dataclass(frozen=True)
class _Moment:
    """All that can be seen of a run at one of its checkpoints."""

    state: Mapping[str, Any]
    hashes: Mapping[str, str]
    folder: Path
    hidden: Mapping[str, bytes]
    """What the run could forget: variables and global random states, by a description."""

    def resume(self) -> Checkpoint:
        return Checkpoint(json.loads(json.dumps(self.state)), {name: self.folder / name for name in self.hashes})


def check_resume(run: Run, job: Mapping[str, Any]) -> Agreement:
    """Run a generator whole, then stopped and resumed at every checkpoint, and compare.

    Takes as long as two runs of the job, so give it a short one. Raises ForgottenState that names
    the first checkpoint that differs and what was likely forgotten, and BadInput where ``run`` is no
    generator function.
    """
    if not inspect.isgeneratorfunction(run):
        raise BadInput(
            f"{run!r} is no generator function. Try: def run(job, checkpoint) with a yield at each checkpoint"
        )
    with tempfile.TemporaryDirectory(prefix="lrt-resume-") as folder, _random_states_kept():
        whole = _whole(run, job, Path(folder, "whole"))
        pieces = _pieces(run, job, Path(folder, "pieces"), limit=len(whole.moments) + 1)
        _compare(whole, pieces)
        return Agreement(len(whole.moments), whole.result)


@dataclass
class _Course:
    """A run as it went."""

    moments: list[_Moment] = field(default_factory=list)
    result: Any = None
    hidden_before: Mapping[str, bytes] = field(default_factory=lambda: _hidden({}))

    def used(self, number: int) -> set[str]:
        """Return what changed on the way to a checkpoint, or was made on it."""
        before = self.moments[number - 1].hidden if number else self.hidden_before
        return set(_differing(self.moments[number].hidden, before))


def _whole(run: Run, job: Mapping[str, Any], folder: Path) -> _Course:
    course, steps = _Course(), run(_copied(job), None)
    while (moment := _next(steps, folder / str(len(course.moments)), course)) is not None:
        course.moments.append(moment)
    return course


def _pieces(run: Run, job: Mapping[str, Any], folder: Path, *, limit: int) -> _Course:
    """Run each stretch between two checkpoints by itself, as a fresh process with its own random states would."""
    course = _Course()
    while len(course.moments) < limit:
        _scramble_random_states()
        steps = run(_copied(job), course.moments[-1].resume() if course.moments else None)
        moment = _next(steps, folder / str(len(course.moments)), course)
        if moment is None:
            break
        steps.close()
        course.moments.append(moment)
    return course


def _next(steps: Generator[Mapping[str, Any], None, Any], folder: Path, course: _Course) -> _Moment | None:
    try:
        yielded = next(steps)
    except StopIteration as end:
        folder.mkdir(parents=True)
        course.result = _plain(end.value, folder)
        return None
    folder.mkdir(parents=True)
    hashes = _placed(getattr(yielded, "files", {}), folder)
    variables = inspect.getgeneratorlocals(steps)
    return _Moment(_copied(yielded), hashes, folder, _hidden(variables))


def _plain(value: Any, folder: Path) -> Any:
    result = value if isinstance(value, Result) else Result(value)
    return {"value": json.loads(json.dumps(result.value)), "files": _placed(result.files, folder)}


def _placed(files: Mapping[str, File], folder: Path) -> dict[str, str]:
    place(files, folder)
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in files_in(folder).items()}


def _compare(whole: _Course, pieces: _Course) -> None:
    for number, (ours, theirs) in enumerate(zip(whole.moments, pieces.moments, strict=False)):
        differing = _differing(ours.state, theirs.state) + _differing(ours.hashes, theirs.hashes)
        if differing:
            where = f"checkpoint {number + 1} differs from an uninterrupted run in {', '.join(differing)}"
            raise ForgottenState(where + _suspicion(whole, pieces, number))
    if len(whole.moments) != len(pieces.moments):
        counts = f"{len(whole.moments)} checkpoints uninterrupted, {len(pieces.moments)} resumed"
        raise ForgottenState(f"the runs have different lengths ({counts}): the step is not in the state, or not read")
    if whole.result != pieces.result:
        last = len(whole.moments) - 1
        raise ForgottenState("the result differs from an uninterrupted run's" + _suspicion(whole, pieces, last))


def _suspicion(whole: _Course, pieces: _Course, number: int) -> str:
    """Name what the run used on its way to a checkpoint and the resumed run had otherwise."""
    differing = _differing(whole.moments[number].hidden, pieces.moments[number].hidden)
    suspects = [name for name in differing if name in whole.used(number)]
    return f"; likely forgotten: {', '.join(suspects)}" if suspects else "; something outside the checkpoint is used"


def _differing(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [name for name in names if ours.get(name) != theirs.get(name)]


def _hidden(variables: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of what a run may have beside its state, as far as it can be compared."""
    kinds = {f"{name} ({kind})": value for name, value in variables.items() if (kind := _kind(value))}
    global_states = {f"the global random state of {name}": get() for name, get, _ in _random_states()}
    contents = {name: _content(value) for name, value in {**kinds, **global_states}.items()}
    return {name: content for name, content in contents.items() if content is not None}


def _content(value: Any) -> bytes | None:
    try:
        return pickle.dumps(value)  # only compared, never loaded
    except Exception:  # noqa: BLE001  (what cannot be pickled cannot be compared, and that is all)
        return None


def _kind(value: Any) -> str | None:
    if isinstance(value, random.Random) or type(value).__name__ in {"Generator", "RandomState"}:
        return "random state"
    if hasattr(value, "state_dict"):
        return "an optimiser or model"
    return "data order" if isinstance(value, (list, tuple)) or hasattr(value, "__next__") else None


def _copied(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what JSON makes of a job or state, as queue and bucket would hand it on."""
    copied: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    return copied


def _random_states() -> Iterator[tuple[str, Callable[[], Any], Callable[[Any], None]]]:
    """Yield the name, the getter and the setter of each global random state that is in use."""
    yield "random", random.getstate, random.setstate
    numpy: ModuleType | None = sys.modules.get("numpy")
    if numpy:
        yield "numpy.random", numpy.random.get_state, numpy.random.set_state
    torch: ModuleType | None = sys.modules.get("torch")
    if torch:
        yield "torch", torch.get_rng_state, torch.set_rng_state


@contextmanager
def _random_states_kept() -> Iterator[None]:
    kept = [(restore, get()) for _, get, restore in _random_states()]
    try:
        yield
    finally:
        for restore, state in kept:
            restore(state)


def _scramble_random_states() -> None:
    """Give the global random states other values, as they have in every new process."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(random.getrandbits(32))
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(random.getrandbits(32))
