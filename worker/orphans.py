"""What a workload has started and left behind: adopted by the worker, and ended with the attempt."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """Become the parent of all descendants whose own parent ends, as process 1 of a container is anyway."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> frozenset[int]:
    """Return the processes whose parent is this one, where the system tells them."""
    found: list[str] = []
    for each in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread may end while it is looked at
            found += each.read_text().split()
    return frozenset(map(int, found))


def end_all(spared: frozenset[int]) -> None:
    """Kill every child that is not spared, take note of its end, and go on with what it leaves behind in turn."""
    while doomed := children() - spared:
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
