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


def leave(cloud: Cloud, files: dict[str, bytes], *, name: str = "a", damaged: bool = False) -> Experiment:
    """Leave a done job whose result has these files, and return its experiment."""
    job_id = f"exp/{name}"
    claimed = Record(State.WAITING).claimed(Holder("w", "m"), fingerprint="f", steps=1, now=NOW)
    stored = {file: StoredFile(hashlib.sha256(body).hexdigest(), len(body)) for file, body in files.items()}
    for file, body in files.items():
        cloud.store.put(keys.artifact(job_id, 1, file), body[::-1] if damaged else body)
    cloud.store.put(keys.record(job_id), claimed.done(1, stored, now=NOW).to_bytes())
    return Experiment("exp", cloud)


def test_files_are_listed(cloud: Cloud) -> None:
    """A row a file, by name, without a download."""
    found = leave(cloud, FILES).artifacts("a")
    assert found.index.tolist() == ["exp/a", "exp/a"]
    assert found["name"].tolist() == ["out/energies.csv", "plot.png"]
    assert found["size"].tolist() == [8, 7]


def test_files_are_downloaded(cloud: Cloud, tmp_path: Path) -> None:
    """They lie under their names in the folder of their job, and a second time nothing is written."""
    experiment = leave(cloud, FILES)
    found = experiment.artifacts("exp/a", tmp_path / "new")
    assert {name: Path(path).read_bytes() for name, path in zip(found["name"], found["path"], strict=True)} == FILES
    assert Path(found["path"].iloc[0]) == tmp_path / "new/a/out/energies.csv"
    cloud.store.delete([keys.artifact("exp/a", 1, name) for name in FILES])
    assert experiment.artifacts("exp/a", tmp_path / "new").equals(found)


def test_jobs_do_not_overwrite_each_other(cloud: Cloud, tmp_path: Path) -> None:
    """The files of a whole sweep come at once, and one job's do not replace another's of the same name."""
    leave(cloud, {"adapter.bin": b"one"}, name="lr/0.1")
    leave(cloud, {"adapter.bin": b"three"}, name="lr/0.3")
    experiment = leave(cloud, {}, name="none")
    found = experiment.artifacts(experiment.status(), tmp_path / "new")
    assert found.index.tolist() == ["exp/lr/0.1", "exp/lr/0.3"]
    assert [Path(path).read_bytes() for path in found["path"]] == [b"one", b"three"]
    assert (tmp_path / "new/lr/0.3/adapter.bin").read_bytes() == b"three"


def test_files_of_two_jobs_that_would_be_one(cloud: Cloud, tmp_path: Path) -> None:
    """A job may be called like another's folder; nothing is written where that makes two files one."""
    leave(cloud, {"b/plot.png": b"a's"})
    experiment = leave(cloud, {"plot.png": b"b's"}, name="a/b")
    with pytest.raises(BadInput, match=r"would both be .*/new/a/b/plot\.png; nothing was written"):
        experiment.artifacts(["a", "a/b"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


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


@pytest.mark.parametrize("link", ["new/a", "new/a/out"])
def test_no_link_leads_out_of_the_folder(cloud: Cloud, tmp_path: Path, link: str) -> None:
    """A link that lies in the folder is not followed to elsewhere."""
    (tmp_path / link).parent.mkdir(parents=True)
    (tmp_path / link).symlink_to(tmp_path)
    with pytest.raises(BadInput, match=r"'out/energies\.csv' would leave"):
        leave(cloud, FILES).artifacts("a", tmp_path / "new")
    assert not list(tmp_path.rglob("energies.csv"))


def test_a_damaged_file_is_not_left_behind(cloud: Cloud, tmp_path: Path) -> None:
    """What is not what was saved, or is gone, is an error, and no file."""
    experiment = leave(cloud, {"plot.png": b"picture"}, damaged=True)
    with pytest.raises(DamagedFile, match="its hash differs"):
        experiment.artifacts("a", tmp_path)
    cloud.store.delete([keys.artifact("exp/a", 1, "plot.png")])
    with pytest.raises(DamagedFile, match="is not in the bucket any more"):
        experiment.artifacts("a", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "submitter.env"]


def test_a_job_without_files(cloud: Cloud, tmp_path: Path) -> None:
    """No files are an empty frame, and an unknown job is an error."""
    experiment = Experiment("exp", cloud)
    experiment.submit([{"name": "a", "steps": 1}])
    assert experiment.artifacts("a").empty
    assert list(experiment.artifacts("a", tmp_path).columns) == ["name", "size", "sha256", "path"]
    with pytest.raises(BadInput, match="has no job exp/b"):
        experiment.artifacts("b")
