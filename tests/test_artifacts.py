"""The files of results, on their way from the bucket to a folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput, DamagedFile
from lrtkit.wire.record import Holder, Record, State, StoredFile

NOW = "2026-11-24T10:00:00.000Z"
FILES = {"plot.png": b"picture", "out/energies.csv": b"t,e\n0,1\n"}


def leave(cloud: Cloud, files: dict[str, bytes], *, damaged: bool = False) -> Experiment:
    """Leave a done job whose result has these files, and return its experiment."""
    claimed = Record(State.WAITING).claimed(Holder("w", "m"), fingerprint="f", steps=1, now=NOW)
    stored = {name: StoredFile(hashlib.sha256(body).hexdigest(), len(body)) for name, body in files.items()}
    for name, body in files.items():
        cloud.store.put(keys.artifact("exp/a", 1, name), body[::-1] if damaged else body)
    cloud.store.put(keys.record("exp/a"), claimed.done(1, stored, now=NOW).to_bytes())
    return Experiment("exp", cloud)


def test_files_are_listed(cloud: Cloud) -> None:
    """A row a file, by name, without a download."""
    found = leave(cloud, FILES).artifacts("a")
    assert found.index.tolist() == ["out/energies.csv", "plot.png"]
    assert found["size"].tolist() == [8, 7]


def test_files_are_downloaded(cloud: Cloud, tmp_path: Path) -> None:
    """They lie in the folder under their names, and a second time nothing is written."""
    experiment = leave(cloud, FILES)
    found = experiment.artifacts("exp/a", tmp_path / "new")
    assert {name: Path(path).read_bytes() for name, path in found["path"].items()} == FILES
    assert Path(found["path"]["out/energies.csv"]) == tmp_path / "new/out/energies.csv"
    cloud.store.delete([keys.artifact("exp/a", 1, name) for name in FILES])
    assert experiment.artifacts("exp/a", tmp_path / "new").equals(found)


@pytest.mark.parametrize("name", ["../b", "/etc/b", "a/../../b", "out//b"])
def test_no_name_leaves_the_folder(cloud: Cloud, tmp_path: Path, name: str) -> None:
    """A record that somebody has tampered with writes nothing anywhere."""
    experiment = leave(cloud, {"plot.png": b"picture"})
    body = cloud.store.get(keys.record("exp/a"))
    assert body is not None
    record = json.loads(body.body)
    record["_lrt"]["artifacts"] = {name: record["_lrt"]["artifacts"]["plot.png"]}
    cloud.store.put(keys.record("exp/a"), json.dumps(record, separators=(",", ":")).encode())
    with pytest.raises(BadInput, match="; nothing was written"):
        experiment.artifacts("a", tmp_path / "new")
    assert list(tmp_path.glob("new*")) == []


def test_no_link_leads_out_of_the_folder(cloud: Cloud, tmp_path: Path) -> None:
    """A link that lies in the folder is not followed to elsewhere."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new/out").symlink_to(tmp_path)
    with pytest.raises(BadInput, match=r"'out/energies\.csv' would leave"):
        leave(cloud, FILES).artifacts("a", tmp_path / "new")
    assert not (tmp_path / "energies.csv").exists()


def test_a_damaged_file_is_not_left_behind(cloud: Cloud, tmp_path: Path) -> None:
    """What is not what was saved, or is gone, is an error, and no file."""
    experiment = leave(cloud, {"plot.png": b"picture"}, damaged=True)
    with pytest.raises(DamagedFile, match="its hash differs"):
        experiment.artifacts("a", tmp_path)
    cloud.store.delete([keys.artifact("exp/a", 1, "plot.png")])
    with pytest.raises(DamagedFile, match="is not in the bucket any more"):
        experiment.artifacts("a", tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "submitter.env"]


def test_a_job_without_files(cloud: Cloud, tmp_path: Path) -> None:
    """No files are an empty frame, and an unknown job is an error."""
    experiment = Experiment("exp", cloud)
    experiment.submit([{"name": "a", "steps": 1}])
    assert experiment.artifacts("a").empty
    assert list(experiment.artifacts("a", tmp_path).columns) == ["size", "sha256", "path"]
    with pytest.raises(BadInput, match="has no job exp/b"):
        experiment.artifacts("b")
