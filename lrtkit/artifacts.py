"""The files of results: listed, and brought to this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from lrtkit.wire import keys, parallel
from lrtkit.wire.errors import BadInput, DamagedFile
from lrtkit.wire.record import Record, StoredFile
from lrtkit.wire.s3 import Store

THREADS = 8

MOMENT_S = 1.0
"""What takes no longer is over before a bar would be worth showing."""


@dataclass(frozen=True)
class Artifact:
    """A file of a job's result: what it is called, what it must be, and where the bucket has it."""

    job_id: str
    name: str
    file: StoredFile
    key: str


def found(records: Iterable[tuple[str, Record | None]]) -> list[Artifact]:
    """Return the files of jobs, given by their ids and records, in the order of the jobs and the names."""
    return [
        Artifact(job_id, name, file, keys.artifact(job_id, record.generation, name))
        for job_id, record in records
        if record
        for name, file in sorted(record.artifacts.items())
    ]


def listed(artifacts: Sequence[Artifact]) -> pd.DataFrame:
    """Return a row a file, indexed by ``job_id``: ``name``, ``size`` in bytes and ``sha256``."""
    columns = {
        "name": pd.array([each.name for each in artifacts], dtype="str"),
        "size": pd.array([each.file.size for each in artifacts], dtype="int64"),
        "sha256": pd.array([each.file.sha256 for each in artifacts], dtype="str"),
    }
    index = pd.Index([each.job_id for each in artifacts], name="job_id", dtype="str")
    return pd.DataFrame(columns, index=index)


def download(store: Store, artifacts: Sequence[Artifact], *, folder: Path, experiment: str) -> pd.DataFrame:
    """Write files into a folder for each job, and return them as ``listed`` with their ``path``.

    A file that is there already as it should be is left. Raises BadInput where a name or a link would
    lead out of the job's folder, or two files would be one, before anything is written, and DamagedFile
    where a file is not what was saved.
    """
    paths = [_inside(folder, Path(each.job_id.removeprefix(f"{experiment}/")), each.name) for each in artifacts]
    if len(set(paths)) < len(paths):
        twin = next(path for place, path in enumerate(paths) if path in paths[:place])
        raise BadInput(f"files of two jobs would both be {twin}; nothing was written. Try: one job after the other")
    with tqdm(total=len(paths), desc=f"{experiment}: download", unit="file", delay=MOMENT_S) as bar:

        def fetch(one: tuple[Path, Artifact]) -> None:
            _fetch(store, *one)
            with bar.get_lock():
                bar.update()

        parallel.each(fetch, zip(paths, artifacts, strict=True), threads=THREADS, name="download")
    return listed(artifacts).assign(path=pd.array([str(path) for path in paths], dtype="str"))


def _inside(folder: Path, job: Path, name: str) -> Path:
    path = folder / job / name
    if not keys.is_inside(name) or not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"the artifact {name!r} would leave {folder}; nothing was written. Try: another folder")
    return path


def _fetch(store: Store, path: Path, artifact: Artifact) -> None:
    """Write a file, all of it or nothing, unless it is there."""
    if _is(path, artifact.file):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        if not store.download(artifact.key, draft):
            raise DamagedFile(f"{artifact.key} is not in the bucket any more")
        if not _is(draft, artifact.file):
            raise DamagedFile(f"{artifact.key} is not what was saved: its hash differs. Try: download it again")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _is(path: Path, wanted: StoredFile) -> bool:
    if not path.is_file() or path.stat().st_size != wanted.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
