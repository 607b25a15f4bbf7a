"""What a workload may yield and return, for Python generators of ``run(job, checkpoint)``.

A plain dictionary is enough for a state without files, and any JSON value for a result; the
classes here add files. A file or folder is given by its path, or by a function that writes it to
the path that it is called with: the function is called only when a checkpoint is wanted at that
moment, so a workload can yield at every step at no cost.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput

STALL_NAME = ".stall_s"
"""In the folder of a checkpoint: what it cost the workload to make it, in seconds."""

KITS_OWN = frozenset({keys.RECORD_NAME, STALL_NAME})
"""Names in the folder of a checkpoint that no file of it can have."""

File = str | Path | Callable[[Path], object]
"""A file's or folder's path, or a function that writes the file or folder at a path."""


class Checkpoint(dict[str, Any]):
    """A place from which the workload can go on: its state, a JSON object, and files beside it.

    ``step`` in the state is the progress. ``files`` maps names (``a-z A-Z 0-9 . _ -``) to files and
    folders; in the checkpoint that a workload resumes from, to the paths of all files that were saved.
    """

    def __init__(self, state: Mapping[str, Any], files: Mapping[str, File] | None = None) -> None:
        super().__init__(state)
        self.files: dict[str, File] = dict(files or {})

    def path(self, name: str) -> Path:
        """Return where the saved file or folder ``name`` lies; raise KeyError where the checkpoint has none."""
        inside = next((each for each in self.files if each.startswith(f"{name}/")), None)
        if inside is None:
            return Path(str(self.files[name]))
        return Path(str(self.files[inside])).parents[inside.count("/") - name.count("/") - 1]

    def __bool__(self) -> bool:
        return True  # ``checkpoint or start`` must not start again because the state is empty


def place(files: Mapping[str, File], folder: Path) -> None:
    """Write the files of a checkpoint or result into a folder; raise BadInput for one that would not be found there.

    A file given by its path is copied: a link would change with the workload's own next write.
    """
    for name, file in files.items():
        if not keys.is_inside(name) or name in KITS_OWN:
            raise BadInput(
                f"a file cannot be called {name!r}. Try: a relative path of a-z A-Z 0-9 . _ - such as model.pt"
            )
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(file):
            file(path)
        elif Path(file).is_dir():
            shutil.copytree(file, path)
        else:
            shutil.copyfile(file, path)
        if not path.exists():
            advice = "Try: write to the very path that it is called with; numpy.save, for one, adds an ending to it"
            raise BadInput(f"the function for {name!r} has written nothing there. {advice}")


def files_in(folder: Path) -> dict[str, Path]:
    """Return all files below a folder by their relative names."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


class Result:
    """The end of a workload: a JSON value, and files that become the job's artifacts."""

    def __init__(self, value: Any = None, files: Mapping[str, File] | None = None) -> None:
        self.value = value
        self.files: dict[str, File] = dict(files or {})
