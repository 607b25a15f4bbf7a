"""Files of checkpoints and results on their way to the bucket and back, named by their content."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrtkit.wire import keys
from lrtkit.wire.errors import DamagedFile
from lrtkit.wire.record import Record, Saved, StoredFile
from lrtkit.wire.s3 import Store

LARGEST_INLINE = 64 * 1024
"""A state or result of more bytes than this goes to a file of its own beside the record."""

STATE_NAME = "checkpoint.json"


def describe(path: Path) -> StoredFile:
    """Return a file's hash and size, read once in pieces."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return StoredFile(digest, path.stat().st_size)


def upload_all(store: Store, job_id: str, files: Mapping[str, Path], known: frozenset[str]) -> dict[str, StoredFile]:
    """Upload the files whose content is not ``known`` to be in the bucket; return what is stored under each name."""
    stored = {name: describe(path) for name, path in files.items()}
    missing = {file.sha256: files[name] for name, file in stored.items() if file.sha256 not in known}
    for sha256, path in missing.items():
        store.upload(path, keys.file(job_id, sha256))
    return stored


def upload_json(store: Store, job_id: str, value: Any) -> StoredFile | None:
    """Upload a value that is too large for the record, and return where; return None where it is small enough."""
    body = json.dumps(value, allow_nan=False).encode()
    if len(body) <= LARGEST_INLINE:
        return None
    stored = StoredFile(hashlib.sha256(body).hexdigest(), len(body))
    store.put(keys.file(job_id, stored.sha256), body)
    return stored


def upload_artifacts(store: Store, job_id: str, generation: int, files: Mapping[str, Path]) -> dict[str, StoredFile]:
    """Upload the files of a result and return what is stored under each name."""
    for name, path in files.items():
        store.upload(path, keys.artifact(job_id, generation, name))
    return {name: describe(path) for name, path in files.items()}


def download_all(store: Store, job_id: str, saved: Saved, folder: Path) -> dict[str, Any]:
    """Write a checkpoint's files and state into a new ``folder`` and return the state; raise DamagedFile."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, file in saved.files.items():
        if not keys.is_inside(name):
            raise DamagedFile(f"the record names a file {name!r}, which would leave its folder")
        _download(store, job_id, file, folder / name)
    state = dict(saved.state)
    if saved.state_file:
        _download(store, job_id, saved.state_file, folder / STATE_NAME)
        state = json.loads((folder / STATE_NAME).read_bytes())
    (folder / STATE_NAME).write_text(json.dumps(state))
    return state


def publish_result(store: Store, job_id: str, record: Record) -> None:
    """Write a done job's result where the guide has it."""
    apart = record.result_file
    value = _fetched(store, job_id, apart.sha256) if apart else json.dumps(record.result).encode()
    store.put(keys.result(job_id), value)


def sweep(store: Store, job_id: str, record: Record) -> None:
    """Delete every file of a job that its record does not need, such as those of attempts that never saved."""
    needed = {keys.file(job_id, sha256) for sha256 in referenced(record)}
    found = (each.key for each in store.listed(keys.files(job_id)))
    store.delete([key for key in found if keys.is_file(job_id, key) and key not in needed])


def referenced(record: Record) -> frozenset[str]:
    """Return the hashes of all files that a record still needs."""
    result = {record.result_file.sha256} if record.result_file else set()
    return frozenset(result).union(*(hashes(saved) for saved in (record.checkpoint, record.previous) if saved))


def hashes(saved: Saved) -> frozenset[str]:
    """Return the hashes of the files of a checkpoint."""
    lone = [saved.state_file] if saved.state_file else []
    return frozenset(file.sha256 for file in [*lone, *saved.files.values()])


def _fetched(store: Store, job_id: str, sha256: str) -> bytes:
    """Return a result that lies apart; one that is not what was saved is read a second time, like every file."""
    for _ in range(2):
        item = store.get(keys.file(job_id, sha256))
        if item is None:
            raise DamagedFile(f"the result of {job_id} is not in the bucket any more")
        if hashlib.sha256(item.body).hexdigest() == sha256:
            return item.body
    raise DamagedFile(f"the result of {job_id} is not what was saved: its hash differs")


def _download(store: Store, job_id: str, file: StoredFile, path: Path) -> None:
    """Download a file; one that is not what was saved a second time: it may have been damaged only on its way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        if not store.download(keys.file(job_id, file.sha256), path):
            raise DamagedFile(f"{path.name} of the checkpoint is not in the bucket any more")
        if describe(path) == file:
            return
    raise DamagedFile(f"{path.name} of the checkpoint is not what was saved: its hash differs")
