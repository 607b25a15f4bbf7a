"""What workloads leave: a program its files, and a generator its values."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from lrtkit.wire.errors import InvalidJob
from lrtkit.wire.workload import Checkpoint, Result
from tests.bad_input.table import Section
from tests.worker.cases import wait_until_wanted

DEEP: Any = 1
for _ in range(200):
    DEEP = [DEEP]

CHECKPOINTS = Section(
    "Checkpoints of a program",
    "`checkpoint.json` in a folder of `LRT_CHECKPOINT_DIR`: the job's failure, as dead letter and `exp.why()` tell it.",
    {
        "nothing": b"",
        "half of it": b'{"step": 1, "lo',
        "NaN": b'{"step": 1, "loss": NaN}',
        "1e999": b'{"step": 1, "loss": 1e999}',
        "a list": b"[1]",
        "binary": b"\x80\x04\x95\xff",
        "200 levels": json.dumps({"step": 1, "x": DEEP}).encode(),
        "the kit's own name": b'{"step": 1, "_lrt": {}}',
        "a folder": None,
    },
)

RESULTS = Section(
    "Results of a program",
    "The file `LRT_RESULT` at exit code 0: the job's failure.",
    {
        "no file": None,
        "nothing": b"",
        "no JSON": b"0.97 of all",
        "NaN": b"NaN",
        "200 levels": json.dumps(DEEP).encode(),
        "binary": b"\x80\x04\x95\xff",
    },
)

GENERATORS = Section(
    "What a generator yields, returns or raises",
    "`run(job, checkpoint)`: the job's failure; the traceback is with it.",
    {
        "a state with NaN": lambda: {"step": 1, "loss": float("nan")},
        "a state with a set": lambda: {"step": 1, "seen": {1}},
        "a state with a key of the kit": lambda: {"step": 1, "_lrt": {}},
        "a number as its state": lambda: 5,
        "nothing as its state": lambda: None,
        "a file above its folder": lambda: Checkpoint({"step": 1}, files={"../model.pt": _write}),
        "a file elsewhere": lambda: Checkpoint({"step": 1}, files={"/tmp/model.pt": _write}),
        "a file that is not written": lambda: Checkpoint({"step": 1}, files={"model.pt": lambda _: None}),
        "a file of the state's name": lambda: Checkpoint({"step": 1}, files={"checkpoint.json": _write}),
        "a file that is not there": lambda: Checkpoint({"step": 1}, files={"model.pt": "no/such/model.pt"}),
        "a result with NaN": lambda: Result(float("nan")),
        "a result of bytes": lambda: Result(b"abc"),
        "an artifact above its folder": lambda: Result(1, files={"../plot.png": _write}),
        "an invalid job": lambda: _raise(InvalidJob("temperature must be above 0")),
        "an exception without words": lambda: _raise(KeyError("model")),
        "an exit": lambda: sys.exit(7),
    },
)


def generator(job: dict[str, Any], checkpoint: Checkpoint | None) -> Any:
    """Yield or return what the job wants."""
    made = GENERATORS.inputs[job["given"]]()
    if isinstance(made, Result):
        return made
    wait_until_wanted()
    yield made
    return 1


def _write(path: Path) -> None:
    path.write_text("file")


def _raise(error: Exception) -> None:
    raise error


def program() -> None:
    """Leave the file that the job wants, as a checkpoint or as the result."""
    job = json.loads(Path(os.environ["LRT_JOB"]).read_bytes())
    kind, given = job["kind"], job["given"]
    if kind == "result":
        content = RESULTS.inputs[given]
        if content is not None:
            Path(os.environ["LRT_RESULT"]).write_bytes(content)
        return
    _leave(CHECKPOINTS.inputs[given], Path(os.environ["LRT_CHECKPOINT_DIR"], "1"))


def _leave(content: bytes | None, folder: Path) -> None:
    folder.mkdir()
    if content is None:
        (folder / "checkpoint.json").mkdir()
    else:
        (folder / "draft").write_bytes(content)
        (folder / "draft").rename(folder / "checkpoint.json")
    time.sleep(600)


if __name__ == "__main__":
    program()
