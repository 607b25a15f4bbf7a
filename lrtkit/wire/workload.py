"""What a workload may yield and return, for Python generators of ``run(job, checkpoint)``.

A plain dictionary is enough for a state without files, and any JSON value for a result; the
classes here add files. A file is given by its path, or by a function that writes it to the path
it is called with, which costs nothing when no checkpoint is wanted at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

File = str | Path | Callable[[Path], object]
"""A file's path, or a function that writes the file at a path."""


@dataclass(frozen=True)
class Checkpoint:
    """A place from which the workload can go on.

    ``state`` is a JSON object (its ``step`` is the progress). ``files`` maps a name to a file:
    when yielded, a path or a function that writes it; when resumed from, the path of the file
    that was saved. ``checkpoint["step"]`` and ``checkpoint.get("step")`` read the state.
    """

    state: Mapping[str, Any]
    files: Mapping[str, File] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.state[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value of the state, or ``default`` where the state has none of that name."""
        return self.state.get(name, default)

    def path(self, name: str) -> Path:
        """Return the path of a saved file; raise KeyError when the checkpoint has none of that name."""
        return Path(self.files[name])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Result:
    """The end of a workload: a JSON value, and files that become the job's artifacts."""

    value: Any = None
    files: Mapping[str, File] = field(default_factory=dict)
