"""The folder of a local cloud: where each of its files is, and the lock that lets one command at a time at it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtkit.local.processes import CLOUD, ROLE
from lrtkit.wire.errors import BadInput, Unavailable

_LOCK_S = 120


@dataclass(frozen=True)
class Folder:
    """All paths of one local cloud."""

    path: Path

    @classmethod
    def at(cls, path: str | Path) -> Folder:
        """Return the folder by its absolute path, which is also the mark of its processes."""
        return cls(Path(path).expanduser().resolve())

    @property
    def marks(self) -> dict[str, str]:
        """What every process of this cloud has in its environment."""
        return {CLOUD: str(self.path)}

    @property
    def supervisor_marks(self) -> dict[str, str]:
        """What its supervisor alone has in its environment."""
        return {**self.marks, ROLE: "supervisor"}

    @property
    def log(self) -> Path:
        """What the cloud itself has to say."""
        return self.path / "cloud.log"

    @property
    def logs(self) -> Path:
        """One file for each instance: what its worker wrote."""
        return self.path / "logs"

    @property
    def disks(self) -> Path:
        """One folder for each node, which goes when the node goes."""
        return self.path / "disks"

    def env_file(self, role: str) -> Path:
        """Where the submitter, the worker or the autoscaler finds its settings."""
        return self.path / f"{role}.env"

    def prepare(self) -> None:
        """Make the folder as an earlier cloud left it into that of a new one; git is told to look away."""
        self.clear()
        for old in (self.logs, self.disks):
            shutil.rmtree(old, ignore_errors=True)
            old.mkdir(parents=True)
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")
        self.log.write_text("", encoding="utf-8")

    def clear(self) -> None:
        """Remove what is true only while the cloud runs; logs stay to be read."""
        for path in (self._state, *map(self.env_file, ("submitter", "worker", "autoscaler"))):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.disks, ignore_errors=True)

    def read_state(self) -> dict[str, Any]:
        """Return what the running cloud wrote about itself, or nothing where that is missing or damaged."""
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Write it whole or not at all."""
        draft = self._state.with_suffix(".new")
        draft.write_text(json.dumps(state, indent=1), encoding="utf-8")
        draft.replace(self._state)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder against other `up` and `down`; the lock goes with the process that holds it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (self.path / "lock").open("w", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{self.path} cannot hold a cloud ({error.strerror}). Try: another --dir") from error
        with file:
            self._acquire(file.fileno())
            yield

    def _acquire(self, descriptor: int) -> None:
        deadline = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"Another `up` or `down` has held {self.path} for {_LOCK_S} s. Try: end it, then run this again"
                    ) from None
                time.sleep(0.05)
            else:
                return

    @property
    def _state(self) -> Path:
        return self.path / "cloud.json"
