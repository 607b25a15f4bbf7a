"""What must hold for whatever comes from outside: a value that survives, or the documented error; nothing else.

Each property takes any bytes. A failure of one is an exception: an AssertionError of its own, or one
that the kit has not foreseen. Slowness is the fuzzer's to see.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from lrtkit.wire import strict
from lrtkit.wire.errors import BadInput, DamagedFile, PoisonMessage
from lrtkit.wire.job import check_job_id, parse
from lrtkit.wire.record import Holder, Record, Saved
from lrtkit.wire.settings import CloudSettings, WorkerSettings, read_env_file, write_env_file

_MEMORY = Path("/dev/shm")
NOW = "2026-11-24T10:00:00.000Z"


def message(data: bytes) -> None:
    """A body is a job, which survives being sent again and handed to a workload, or poison with a reason."""
    try:
        job = parse(data.decode("utf-8", "surrogatepass" if data[:1] == b"{" else "replace"))
    except UnicodeDecodeError:
        return  # no message can hold it
    except PoisonMessage:
        return
    assert check_job_id(job.job_id) == job.job_id
    assert job.steps is None or job.steps >= 0
    assert job.timeout_s is None or job.timeout_s > 0
    again = parse(job.body.encode().decode())
    assert (again.fields, again.fingerprint) == (job.fields, job.fingerprint)
    assert json.loads(json.dumps(job.fields)) == job.fields


def record(data: bytes) -> None:
    """A record is one that a worker can go on with and a table can show, or damaged with a reason."""
    try:
        found = Record.from_bytes(data)
    except DamagedFile:
        return
    body = found.to_bytes()
    assert Record.from_bytes(body) == found
    claimed = found.claimed(Holder("worker", "machine"), fingerprint="f", steps=3, now=NOW)
    saved = claimed.saved(Saved({"step": 1}), now=NOW)
    assert Record.from_bytes(saved.to_bytes()) == saved
    assert claimed.generation == found.generation + 1


def env_file(data: bytes) -> None:
    """An env file is variables, which come back when they are written, or refused by its line."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        _env_file(data, Path(folder, "fuzz.env"))


def _env_file(data: bytes, path: Path) -> None:
    path.touch(0o600)
    path.write_bytes(data)
    try:
        values = read_env_file(path)
    except BadInput:
        return
    write_env_file(path, values)
    assert read_env_file(path) == values
    for settings in (CloudSettings, WorkerSettings):
        with contextlib.suppress(BadInput):
            settings.from_env(values)


def state(data: bytes) -> None:
    """What a workload leaves is a value that can be written and read again, or refused with a reason."""
    try:
        value = strict.loads(data)
    except ValueError:
        return
    text = json.dumps(value, allow_nan=False)
    assert strict.loads(text.encode()) == value
    assert strict.fault(value, "state") is None


PROPERTIES: dict[str, Callable[[bytes], None]] = {
    "message": message,
    "record": record,
    "env_file": env_file,
    "state": state,
}
