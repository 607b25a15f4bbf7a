"""The workload's side of the file protocol (contract 4), run as ``python -m worker.host WORKLOAD WORKER GRACE``.

The process dies with the worker, whose process id it is told. A command is executed in its place;
a generator is driven here: its checkpoints become folders, its result a file, and its exceptions
an exit code with a reason. What it leaves running when it has returned gets the grace, in seconds.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import inspect
import io
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lrtkit.wire import keys, strict
from lrtkit.wire.errors import BadInput, InvalidJob
from lrtkit.wire.workload import STALL_NAME, Checkpoint, Result, files_in, place
from worker import loading
from worker.loading import argv_of, find, is_command

CHECKPOINT_NAME = "checkpoint.json"
EXIT_INTERRUPTED = 75
EXIT_INVALID = 65

_STOPS = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1
_NOT_THE_WORKLOAD = (__file__, loading.__file__, importlib.__file__, "<frozen importlib")


class Places:
    """The files through which worker and workload speak, all in one work folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.job = folder / "job.json"
        self.resume = folder / "resume"
        self.checkpoints = folder / "checkpoints"
        self.artifacts = folder / "artifacts"
        self.scratch = folder / "tmp"
        self.result = folder / "result.json"
        self.error = folder / "error.json"
        self.wanted = folder / "wanted"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Places:
        """Return the places of the process that the worker has started."""
        return cls(Path(env["LRT_JOB"]).parent)

    def make(self, job: str) -> None:
        """Make the folders and write the job."""
        for folder in (self.checkpoints, self.artifacts, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        self.job.write_text(job, encoding="utf-8")

    def env(self, *, resume: bool) -> dict[str, str]:
        """Return the variables of contract 4, two of ours, and where temporary files go, which go with the attempt.

        What lies in ``LRT_ARTIFACTS_DIR`` at the end becomes the job's artifacts. The file
        ``LRT_CHECKPOINT_WANTED`` exists while a checkpoint would be saved at once; a program may look
        at it and delete it, and so spare itself the checkpoints that nobody would save.
        """
        return {
            "LRT_JOB": str(self.job),
            "LRT_CHECKPOINT_DIR": str(self.checkpoints),
            "LRT_CHECKPOINT_WANTED": str(self.wanted),
            "LRT_ARTIFACTS_DIR": str(self.artifacts),
            "LRT_RESULT": str(self.result),
            "TMPDIR": str(self.scratch),
            **({"LRT_RESUME_DIR": str(self.resume)} if resume else {}),
        }


def main(workload: str, worker: int, grace_s: float) -> int:
    """Run a workload for a worker process to its end and return the exit code that tells how it came."""
    _die_with(worker)
    if is_command(workload):
        argv = argv_of(workload)
        os.execvp(argv[0], argv)  # noqa: S606  (the program takes this process over, shell or no shell)
    _tell_all()
    code = _driven(workload, Places.from_env(os.environ))
    for number in _STOPS:
        signal.signal(number, lambda *_: os._exit(code))  # nothing is left to save, and the result is there
    threading.Thread(target=_end_after, args=(grace_s, code), daemon=True).start()
    return code


def _driven(workload: str, places: Places) -> int:
    try:
        return Host(places).run(workload)
    except InvalidJob as error:
        _write_json(places.error, {"type": "InvalidJob", "message": str(error)}, "reason")
        return EXIT_INVALID
    except Exception as error:  # noqa: BLE001  (whatever a researcher's code raises becomes the job's failure)
        text = "".join(traceback.format_exception(_seen_from_the_workload(error)))
        sys.stderr.write(text)
        told = {"type": type(error).__qualname__, "message": str(error) or "it gave no reason", "traceback": text}
        _write_json(places.error, told, "error")
        return 1


def _seen_from_the_workload(error: Exception) -> Exception:
    """Return an error without what led to the workload, which would hide the few lines that its reader can mend."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith(_NOT_THE_WORKLOAD):
        trace = trace.tb_next
    if isinstance(error, BadInput):
        error.__cause__ = None  # its sentence says it all
    return error.with_traceback(trace)


class Host:
    """Drives a generator: between two of its steps lies every place where it can be interrupted."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._made = 0
        self._stopping = False
        self._wanted = str(places.wanted)
        self._handlers_before = {number: signal.signal(number, self._ask_to_stop) for number in _STOPS}
        os.register_at_fork(
            before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, _STOPS),  # Python forgets what comes between
            after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, _STOPS),
            after_in_child=self._be_stopped_as_others,
        )

    def run(self, workload: str) -> int:
        """Run ``module:generator`` from its checkpoint until it returns or is asked to stop."""
        module, function = find(workload)
        job = json.loads(self._places.job.read_bytes())
        validate = getattr(module, "validate", None)
        if validate:
            validate(job)
        steps = function(job, self._resumed())
        result = self._drive(steps) if inspect.isgenerator(steps) else steps
        if self._stopping and result is _STOPPED:
            return EXIT_INTERRUPTED
        self._finish(result if isinstance(result, Result) else Result(result))
        return 0

    def _drive(self, steps: Iterator[Any]) -> Any:
        while True:
            try:
                state = next(steps)
            except StopIteration as end:
                return end.value
            if self._stopping or os.access(self._wanted, os.F_OK):  # a third of what Path.exists takes, at every yield
                self._save(state)
            if self._stopping:
                return _STOPPED

    def _save(self, state: Any) -> None:
        began = time.monotonic()
        self._places.wanted.unlink(missing_ok=True)
        if not isinstance(state, Mapping):
            kind = type(state).__name__
            raise BadInput(f'the workload yielded {kind}, which is no state. Try: yield {{"step": step}}')
        if keys.ENVELOPE in state:
            raise BadInput(f"the workload's state has the key {keys.ENVELOPE!r}, which is the kit's. Try: another name")
        self._made += 1
        folder = self._places.checkpoints / f"{self._made:06d}"
        folder.mkdir()
        place(getattr(state, "files", {}), folder)
        (folder / STALL_NAME).write_text(str(time.monotonic() - began))
        _write_json(folder / CHECKPOINT_NAME, dict(state), "state")

    def _finish(self, result: Result) -> None:
        place(result.files, self._places.artifacts)
        _write_json(self._places.result, result.value, "result")

    def _resumed(self) -> Checkpoint | None:
        if "LRT_RESUME_DIR" not in os.environ:
            return None
        resume = self._places.resume
        found = files_in(resume)
        return Checkpoint(json.loads(found.pop(CHECKPOINT_NAME).read_bytes()), found)

    def _ask_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _be_stopped_as_others(self) -> None:
        """Let a forked child end at a signal, unless the workload has its own way: pools end their children so."""
        for number, handler in self._handlers_before.items():
            if signal.getsignal(number) == self._ask_to_stop:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


_STOPPED = object()


def _write_json(path: Path, value: Any, what: str) -> None:
    """Write a JSON file that is either whole or not there; raise BadInput where the value is none of JSON."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"the workload's {what} is no JSON: {_reason(value, what, error)}. Try: {_ADVICE}") from error
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


_ADVICE = "numbers by float(x) or x.tolist(), and None for what is not a number"


def _reason(value: Any, what: str, error: Exception) -> str:
    try:
        return strict.fault(value, what) or str(error)
    except RecursionError:
        return "it holds itself, or has too many levels"


def _tell_all() -> None:
    """Let nothing of the output be lost when a crash ends the process: neither printed lines nor where it was."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    faulthandler.enable()


def _end_after(grace_s: float, code: int) -> None:
    """End a workload that has returned: Python would wait for its threads and children, and hold the job for ever."""
    time.sleep(grace_s)
    left = [each.name for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]
    print(f"the workload had returned {grace_s:g} s ago, and is ended with what it left: {left}", file=sys.stderr)
    os._exit(code)


def _die_with(worker: int) -> None:
    """Ask Linux to kill this process when the worker dies, so that no orphan goes on burning the machine."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker:  # it has died before it could be asked
        os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  (a researcher's module lies where the worker was started)
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
