"""What a workload may yield and return, placed in a folder and found there again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrtkit.wire.errors import BadInput
from lrtkit.wire.workload import Checkpoint, File, files_in, place


def save_pretrained(path: Path) -> None:
    """Write a model as libraries do: as a folder."""
    (path / "weights").mkdir(parents=True)
    (path / "weights" / "1.bin").write_text("weights")
    (path / ".config").write_text("config")


def test_folders_are_files_together(tmp_path: Path) -> None:
    """A folder comes by its path or by a function, and is found again as such, with all that is in it."""
    save_pretrained(tmp_path / "made")
    place({"by/path": tmp_path / "made", "by/function": save_pretrained}, tmp_path / "there")
    checkpoint = Checkpoint({}, files_in(tmp_path / "there"))
    for name in ("by/path", "by/function"):
        assert checkpoint.path(name) == tmp_path / "there" / name
        assert checkpoint.path(f"{name}/.config").read_text() == "config"
        assert checkpoint.path(f"{name}/weights") == tmp_path / "there" / name / "weights"
    assert checkpoint.path("by") == tmp_path / "there" / "by"


def test_an_unknown_file_is_none(tmp_path: Path) -> None:
    """Part of a name is no name."""
    checkpoint = Checkpoint({}, {"model.pt": tmp_path, "models/1": tmp_path})
    with pytest.raises(KeyError):
        checkpoint.path("model")


def test_a_function_that_writes_elsewhere_is_told(tmp_path: Path) -> None:
    """A file that is missing in a checkpoint is told when it is made, and not when the job resumes from it."""
    elsewhere: File = lambda path: path.with_suffix(".npy").touch()  # noqa: E731  (as numpy.save does)
    with pytest.raises(BadInput, match=r"^the function for 'sums' has written nothing there\. Try: "):
        place({"sums": elsewhere}, tmp_path)


@pytest.mark.parametrize("name", ["checkpoint.json", ".stall_s", "../a", ""])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    """Neither one of the kit's own, nor one that leads out of the folder."""
    with pytest.raises(BadInput, match=f"^a file cannot be called '{name}'"):
        place({name: save_pretrained}, tmp_path)
