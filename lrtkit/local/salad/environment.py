"""What a replica finds in its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_INHERITED = ("PATH", "HOME", "USER", "LANG", "TZ")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

WORKER = (sys.executable, "-m", "worker")
"""What a container runs that has no command of its own."""


def inherited(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a process needs to run at all, without the keys of whoever started the cloud."""
    return {name: value for name, value in env.items() if name in _INHERITED or name.startswith(("PYTHON", "LC_"))}


def container_environment(variables: Mapping[str, str], *, node: Mapping[str, str]) -> dict[str, str]:
    """Return a replica's environment: the machine shares its cores, the user decides, the node has the last word."""
    return {**inherited(), **_ONE_THREAD, **variables, **node}
