"""Workloads that do what the tests need to see."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any

from lrtkit.wire.errors import InvalidJob
from lrtkit.wire.workload import Checkpoint, Result

Steps = Generator[dict[str, Any], None, Any]
Job = dict[str, Any]


def trace(name: str, line: object) -> None:
    """Leave a line that the test can read."""
    with Path(os.environ["TRACES"], name.replace("/", "+") + ".trace").open("a") as file:
        file.write(f"{line}\n")


def wait_at(gate: str) -> None:
    """Wait until the test opens a gate."""
    while not Path(os.environ["TRACES"], f"{gate}.gate").exists():
        time.sleep(0.02)


def count(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Add the numbers 1 to ``steps``, with a pause before each; be saved at ``save_at``, wait after ``gate_after``."""
    state = checkpoint or {"step": 0, "sum": 0}
    while state["step"] < job["steps"]:
        step = state["step"] + 1
        time.sleep(job.get("pause_s", 0))
        trace(job["job_id"], step)
        state = {"step": step, "sum": state["sum"] + step}
        if step == job.get("save_at"):
            wait_until_wanted()
        yield state
        if step == job.get("gate_after"):
            wait_at("count")
    return state["sum"]


def validate(job: Job) -> None:
    """Refuse a job that says itself that it is invalid."""
    if job.get("invalid"):
        raise InvalidJob("this job can never run")


def returns(job: Job, checkpoint: Checkpoint | None) -> Any:
    """Return what the job holds under ``value``."""
    return job["value"]


def artifacts(job: Job, checkpoint: Checkpoint | None) -> Result:
    """Return files beside the value: one of its own and one written on demand."""
    path = Path("plain.txt")
    os.chdir(os.environ["TRACES"])
    path.write_text("plain")
    return Result({"files": 2}, files={"plain.txt": path, "deep/er/written.txt": lambda to: to.write_text("written")})


def raises(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Say something, make a checkpoint, and fail as the job wants it."""
    print("about to fail as", job["how"])
    yield {"step": 1}
    FAILURES[job["how"]]()


def fails_at(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Come further with each attempt and fail in all but the last."""
    step = checkpoint["step"] if checkpoint else 0
    if step < job["failures"]:
        wait_until_wanted()
        yield {"step": step + 1}
        raise ValueError(f"failure {step + 1}")
    return step


def wait_until_wanted() -> None:
    """Wait until the worker wants a checkpoint, and so has saved the last."""
    while not Path(os.environ["LRT_CHECKPOINT_WANTED"]).exists():
        time.sleep(0.02)


def _raise() -> None:
    raise ValueError("the sum is wrong")


def _segfault() -> None:
    ctypes.string_at(0)


FAILURES: dict[str, Any] = {
    "exception": _raise,
    "exit code": partial(sys.exit, 7),
    "exit 137": partial(os._exit, 137),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": _segfault,
    "no result": partial(os._exit, 0),
}


def stuck(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Never come to an end, with a checkpoint now and then."""
    print("stuck")
    step = checkpoint["step"] if checkpoint else 0
    while True:
        step += 1
        yield {"step": step}
        time.sleep(0.05)


def silent(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Make the checkpoint that the job wants, if any, and wait to be killed."""
    step = checkpoint["step"] if checkpoint else 0
    trace(job["job_id"], step)
    if job.get("progress"):
        wait_until_wanted()
        yield {"step": step + 1}
    wait_at("silent")
    return step


def not_a_number(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Yield a state that is no JSON."""
    yield from ({"step": step, "loss": float("nan")} for step in iter(int, 1))


def too_deep(job: Job, checkpoint: Checkpoint | None) -> Any:
    """Return more levels than a record can hold."""
    value: list[Any] = []
    for _ in range(job["levels"]):
        value = [value]
    return value


def files(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Keep one file that never changes, one in a folder that always does, and a big state."""
    step = checkpoint["step"] if checkpoint else 0
    if isinstance(checkpoint, Checkpoint):
        trace(job["job_id"], f"resumed {step} {checkpoint.path('deep/er/step').read_text()} {len(checkpoint['big'])}")
    while step < job["steps"]:
        step += 1
        state = {"step": step, "big": "x" * job.get("state_bytes", 0)}
        wait_until_wanted()
        yield Checkpoint(state, files={"same": _writer("same"), "deep/er/step": _writer(str(step))})
    if job.get("gate"):
        wait_at(job["gate"])
    return step


def folder(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Save a folder as libraries do, leave with 75, and find the folder again."""
    if not checkpoint:
        wait_until_wanted()
        yield Checkpoint({"step": 1}, files={"adapter": _write_folder})
        sys.exit(75)
    return {path.name: path.read_text() for path in checkpoint.path("adapter").rglob("*") if path.is_file()}


def _write_folder(path: Path) -> None:
    (path / "weights").mkdir(parents=True)
    (path / "weights" / "1.bin").write_text("weights")
    (path / ".config").write_text("config")


def _writer(text: str) -> Any:
    return lambda path: path.write_text(text)


def big_result(job: Job, checkpoint: Checkpoint | None) -> str:
    """Return a text of so many bytes."""
    return str("x" * job["bytes"])


def holds_the_gil(job: Job, checkpoint: Checkpoint | None) -> str:
    """Keep the interpreter to itself for some seconds, as a C extension may."""
    ctypes.PyDLL(None).sleep(job["seconds"])
    return "held"


def family(job: Job, checkpoint: Checkpoint | None) -> str:
    """Leave two children behind, one of which has left the process group too."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    for new_session in (False, True):
        child = subprocess.Popen(sleeper, start_new_session=new_session, stdout=sys.stdout)
        trace("children", child.pid)
    return "left"


def forks(job: Job, checkpoint: Checkpoint | None) -> str:
    """End a forked child as pools do, by SIGTERM, and return what ended it."""
    child = get_context("fork").Process(target=time.sleep, args=(600,))
    child.start()
    child.terminate()
    child.join(job["patience_s"])
    return signal.Signals(-child.exitcode).name if child.exitcode is not None else "it goes on"


def leaves_a_thread(job: Job, checkpoint: Checkpoint | None) -> str:
    """Return beside a thread that has no end, as a library's own may."""
    Thread(target=wait_at, args=("never",), name="endless").start()
    return "returned"


def with_helper(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Let a helper do the second step, which a stop signal must not end before it has."""
    step = checkpoint["step"] if checkpoint else 0
    if step == 0:
        yield {"step": 1}
        trace(job["job_id"], 1)
        subprocess.run([sys.executable, "-c", "import time; time.sleep(2)"], check=True)
        trace(job["job_id"], 2)
        yield {"step": 2}
    return "helped"


def floods(job: Job, checkpoint: Checkpoint | None) -> int:
    """Print far more than anybody wants to read."""
    line = b"x" * 1023 + b"\n"
    for _ in range(job["mebibytes"]):
        os.write(1, line * 1024)
    print("the last line")
    return int(job["mebibytes"])


def deaf(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Ignore every wish to stop, with a helper that does not even know of one."""
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    trace("children", helper.pid)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    trace(job["job_id"], 1)
    wait_at("deaf")
    yield {"step": 1}


def environment(job: Job, checkpoint: Checkpoint | None) -> dict[str, str]:
    """Print and return the whole environment."""
    for name, value in os.environ.items():
        print(f"{name}={value}")
    return dict(os.environ)


def walk(job: Job, checkpoint: Checkpoint | None) -> Steps:
    """Walk at random, with all that matters in the state; every digit of the end depends on each step in its order."""
    dice = random.Random(job["seed"])
    step, place, trail = 0, 0.0, ""
    if checkpoint:
        step, place, trail = checkpoint["step"], checkpoint["place"], checkpoint["trail"]
        version, inner, gauss = checkpoint["dice"]
        dice.setstate((version, tuple(inner), gauss))
    while step < job["steps"]:
        time.sleep(job.get("pause_s", 0))
        step += 1
        place += dice.gauss(0, 1)
        trail = hashlib.sha256(f"{trail} {step} {place!r}".encode()).hexdigest()
        yield {"step": step, "place": place, "trail": trail, "dice": dice.getstate()}
    return {"place": place, "trail": trail}
