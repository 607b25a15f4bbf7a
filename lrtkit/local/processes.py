"""The processes of a local cloud, known by variables that each of them inherits in its environment.

A process id is never trusted alone: ids are used again, and a killed parent leaves children that nobody remembers.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping

import psutil

CLOUD = "LRT_LOCAL_CLOUD"
"""The variable that holds the absolute folder of the cloud to which a process belongs."""

ROLE = "LRT_LOCAL_ROLE"
"""Set in the environment of a cloud's supervisor alone: servers and replicas do not inherit it."""

_ROUNDS = 20
_EXIT_S = 5
_POLL_S = 0.01


def carrying(marks: Mapping[str, str]) -> list[psutil.Process]:
    """Return this user's living processes whose environment holds all the marks, and their descendants."""
    everyone = {process.pid: process for process in psutil.process_iter(["ppid"])}
    spared = _line(os.getpid(), everyone)
    others = {pid: process for pid, process in everyone.items() if pid not in spared}
    found = {pid: process for pid, process in others.items() if _carries(process, marks)}
    while children := {pid: p for pid, p in others.items() if p.info["ppid"] in found and pid not in found}:
        found |= children
    return [process for process in found.values() if _is_mine(process)]


def carries(pid: int, marks: Mapping[str, str]) -> bool:
    """Tell whether the process lives and has these marks in its environment."""
    try:
        return _carries(psutil.Process(pid), marks)
    except psutil.NoSuchProcess:
        return False


def freeze(marks: Mapping[str, str]) -> list[psutil.Process]:
    """Stop all marked processes (SIGSTOP), and again those that they started meanwhile; return them all."""
    frozen: dict[int, psutil.Process] = {}
    while fresh := [process for process in carrying(marks) if process.pid not in frozen]:
        for process in fresh:
            frozen[process.pid] = process
            _try(process.suspend)
    return list(frozen.values())


def thaw(processes: Iterable[psutil.Process]) -> None:
    """Let stopped processes run on (SIGCONT)."""
    for process in processes:
        _try(process.resume)


def kill(marks: Mapping[str, str]) -> list[psutil.Process]:
    """End all marked processes at once (SIGKILL): frozen first, so that none sees another one die."""
    doomed = freeze(marks)
    for process in doomed:
        _try(process.kill)
    return doomed


def sweep(marks: Mapping[str, str]) -> int:
    """Kill until no marked process is left; return how many there were."""
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        doomed = kill(marks)
        if not doomed and not carrying(marks):  # looked for twice: amid an exec a process shows no environment
            break
        wait(doomed, timeout_s=_EXIT_S)
        ended.update(process.pid for process in doomed)
    return len(ended)


def wait(some: Iterable[psutil.Process], *, timeout_s: float) -> None:
    """Wait until the processes have ended, whether or not somebody has taken note of it (as a slow init may not)."""
    deadline = time.monotonic() + timeout_s
    while not all(map(_has_ended, some)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _is_mine(process: psutil.Process) -> bool:
    try:
        return process.uids().real == os.getuid() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _carries(process: psutil.Process, marks: Mapping[str, str]) -> bool:
    try:
        environment = process.environ()
    except psutil.Error:
        return False
    return all(environment.get(name) == value for name, value in marks.items())


def _line(pid: int, everyone: Mapping[int, psutil.Process]) -> set[int]:
    """Return the process and its ancestors: whoever looks must not find himself."""
    line: set[int] = set()
    while pid in everyone and pid not in line:
        line.add(pid)
        pid = everyone[pid].info["ppid"]
    return line


def _try(act: Callable[[], None]) -> None:
    """Send a signal to a process that may be gone by now."""
    with contextlib.suppress(psutil.Error):
        act()
