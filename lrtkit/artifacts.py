"""The files of a job's result: listed, and brought to this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pandas as pd

from lrtkit.wire import keys, parallel
from lrtkit.wire.errors import BadInput, DamagedFile
from lrtkit.wire.record import Record, StoredFile
from lrtkit.wire.s3 import Store

THREADS = 8


def listed(record: Record | None) -> pd.DataFrame:
    """Return a row a file of a job's result, indexed by ``name``: ``size`` in bytes and ``sha256``."""
    found = dict(sorted(record.artifacts.items())) if record else {}
    index = pd.Index(list(found), name="name", dtype="str")
    sizes = pd.Series([file.size for file in found.values()], index=index, dtype="int64")
    hashes = pd.Series([file.sha256 for file in found.values()], index=index, dtype="str")
    return pd.DataFrame({"size": sizes, "sha256": hashes})


def download(store: Store, job_id: str, record: Record | None, *, folder: str | Path) -> pd.DataFrame:
    """Write the files of a job's result into a folder, and return them as ``listed`` with their ``path``.

    A file that is there already as it should be is left. Raises BadInput where a name or a link would
    lead out of the folder, before anything is written, and DamagedFile where a file is not what was saved.
    """
    artifacts = record.artifacts if record else {}
    paths = {name: _inside(Path(folder), name) for name in sorted(artifacts)}

    def fetch(name: str) -> None:
        if not _is(paths[name], artifacts[name]):
            generation = record.generation if record else 0
            _fetch(store, keys.artifact(job_id, generation, name), paths[name], artifacts[name])

    parallel.each(fetch, paths, threads=THREADS, name="download")
    return listed(record).assign(path=pd.Series({name: str(path) for name, path in paths.items()}, dtype="str"))


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not keys.is_inside(name) or not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"the artifact {name!r} would leave {folder}; nothing was written. Try: another folder")
    return path


def _fetch(store: Store, key: str, path: Path, wanted: StoredFile) -> None:
    """Write a file, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        if not store.download(key, draft):
            raise DamagedFile(f"{key} is not in the bucket any more")
        if not _is(draft, wanted):
            raise DamagedFile(f"{key} is not what was saved: its hash differs. Try: download it again")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _is(path: Path, wanted: StoredFile) -> bool:
    if not path.is_file() or path.stat().st_size != wanted.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
