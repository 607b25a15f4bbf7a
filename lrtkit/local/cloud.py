"""Starting, finding and ending a local cloud."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Unpack

import psutil

from lrtkit.local import processes
from lrtkit.local.calls import answers, call
from lrtkit.local.folder import Folder
from lrtkit.local.launch import Launch, Options, split
from lrtkit.local.salad.environment import inherited
from lrtkit.wire import errors
from lrtkit.wire.errors import BadInput, Unavailable

_START_S = 60
_END_S = 10
_TRY_DOWN = "Try: python -m lrtkit.local down, then up"
_log = logging.getLogger("lrtkit.local")


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud; its keys are in the env files alone."""

    folder: Path
    sqs_url: str
    salad_url: str

    @property
    def s3_url(self) -> str:
        """One server stands in for SQS and S3."""
        return self.sqs_url

    @property
    def submitter_env(self) -> Path:
        """What the notebook connects with."""
        return Folder(self.folder).env_file("submitter")

    @property
    def worker_env(self) -> Path:
        """What a container group takes as its environment."""
        return Folder(self.folder).env_file("worker")

    @property
    def autoscaler_env(self) -> Path:
        """What the autoscaler is told, the key to the local SaladCloud too."""
        return Folder(self.folder).env_file("autoscaler")

    @property
    def logs(self) -> Path:
        """The folder with one log for each instance."""
        return Folder(self.folder).logs

    def interrupt(self, kind: str, instance_id: str | None = None) -> dict[str, str]:
        """Interrupt a running replica now: ``gone``, ``zombie`` or ``stop``; return what was done to which."""
        target = {} if instance_id is None else {"instance_id": instance_id}
        done: dict[str, str] = call("POST", self._extra("interrupt"), {"kind": kind, **target})
        return done

    def interruptions(self) -> list[dict[str, str]]:
        """Return all interruptions so far: at, kind, instance_id, machine_id, group."""
        log: list[dict[str, str]] = call("GET", self._extra("interruptions"))
        return log

    def set(self, **settings: Any) -> dict[str, Any]:
        """Change settings of the local SaladCloud, such as ``interruptions_per_hour``; return them all."""
        now: dict[str, Any] = call("POST", self._extra("settings"), settings)
        return now

    def down(self) -> None:
        """End this cloud and everything that runs in it."""
        down(self.folder)

    def _extra(self, name: str) -> str:
        return self.salad_url.replace("/api/public", f"/local/{name}")


class Condition(StrEnum):
    """How a local cloud is."""

    RUNNING = "running"
    DOWN = "down"
    BROKEN = "broken"


@dataclass(frozen=True)
class Status:
    """How a local cloud is, and a sentence about it."""

    condition: Condition
    sentence: str
    cloud: LocalCloud | None = None


def up(dir: str | Path = ".lrt", **options: Unpack[Options]) -> LocalCloud:  # noqa: A002 - as the command calls it
    """Start a local cloud in the background, or find the one that runs in this folder already."""
    launch, folder = Launch.of(options), Folder.at(dir)
    with folder.lock():
        if _supervisor(folder):
            return _join(folder, options)
        _clear_up(folder)
        return _start(folder, launch)


def down(dir: str | Path = ".lrt") -> None:  # noqa: A002 - as the command calls it
    """End the local cloud of this folder, and whatever an earlier one left there."""
    folder = Folder.at(dir)
    if not folder.path.is_dir():
        _clear_up(folder)
        _log.info("There is no local cloud in %s.", folder.path)
        return
    with folder.lock():
        ended = _end(folder)
        _clear_up(folder)
        _log.info("The local cloud in %s is down." if ended else "No local cloud ran in %s.", folder.path)


def status(dir: str | Path = ".lrt") -> Status:  # noqa: A002 - as the command calls it
    """Tell how the local cloud of this folder is."""
    folder = Folder.at(dir)
    if _supervisor(folder):
        return _status_of(_cloud(folder))
    left = len(processes.carrying(folder.marks))
    if left:
        sentence = f"No local cloud runs in {folder.path}, but {left} processes of one are left. {_TRY_DOWN}"
        return Status(Condition.BROKEN, sentence)
    return Status(Condition.DOWN, f"No local cloud runs in {folder.path}. Try: python -m lrtkit.local up")


def _supervisor(folder: Folder) -> int:
    """Return the supervisor's process id, or 0; an id that another process has by now lacks the mark."""
    state = folder.read_state()
    pid = state.get("pid")
    if not isinstance(pid, int) or not {"sqs_url", "salad_url"} <= set(state):
        return 0
    return pid if processes.carries(pid, folder.supervisor_marks) else 0


def _cloud(folder: Folder) -> LocalCloud:
    state = folder.read_state()
    return LocalCloud(folder.path, state["sqs_url"], state["salad_url"])


def _status_of(cloud: LocalCloud) -> Status:
    if not _answers(cloud):
        return Status(Condition.BROKEN, f"The local cloud in {cloud.folder} does not answer. {_TRY_DOWN}", cloud)
    groups = call("GET", cloud._extra("status"))
    return Status(
        Condition.RUNNING,
        f"The local cloud in {cloud.folder} runs: SQS and S3 at {cloud.sqs_url}, SaladCloud at {cloud.salad_url}, "
        f"{sum(group['running'] for group in groups.values())} replicas running."
        + "".join(f" In {name}, {group['trouble']}" for name, group in groups.items() if group["trouble"]),
        cloud,
    )


def _answers(cloud: LocalCloud) -> bool:
    return answers(f"{cloud.sqs_url}/_ministack/health") and answers(cloud._extra("status"))


def _join(folder: Folder, options: Options) -> LocalCloud:
    """Return the cloud that runs, after what can be changed of it has been changed."""
    cloud, state = _cloud(folder), folder.read_state()
    if not _answers(cloud):
        raise Unavailable(f"The local cloud in {folder.path} runs but does not answer. {_TRY_DOWN}")
    fixed, settings = split(options)
    other = [f"{name} {state[name]}" for name, value in fixed.items() if value not in (0, state[name])]
    if other:
        raise BadInput(f"The local cloud in {folder.path} runs already, with {', '.join(other)}. {_TRY_DOWN}")
    if settings:
        cloud.set(**settings)
    _log.info("The local cloud in %s runs already: %s", folder.path, _where(cloud))
    return cloud


def _start(folder: Folder, launch: Launch) -> LocalCloud:
    folder.prepare()
    with _all_or_nothing(folder):
        _check(_launch(folder, launch))
    cloud = _cloud(folder)
    _log.info("The local cloud in %s is up: %s", folder.path, _where(cloud))
    return cloud


@contextlib.contextmanager
def _all_or_nothing(folder: Folder) -> Iterator[None]:
    """Leave nothing running where the start fails or is interrupted."""
    try:
        yield
    except BaseException:
        processes.sweep(folder.marks)
        folder.clear()
        raise


def _check(news: Mapping[str, str]) -> None:
    if "error" in news:
        raise getattr(errors, news["error"])(news["sentence"])


def _launch(folder: Folder, launch: Launch) -> dict[str, str]:
    """Start the supervisor and return what it reports; it leaves this process at once, and lives on."""
    command = [sys.executable, "-m", "lrtkit.local.supervisor", launch.to_json()]
    environment = {**inherited(), **folder.supervisor_marks}
    with folder.log.open("ab") as log:
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                timeout=_START_S,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"The local cloud was not up within {_START_S} s. Try: read {folder.log}") from error
    if not done.stdout:
        raise Unavailable(f"The local cloud ended while it started. Try: read {folder.log}")
    news: dict[str, str] = json.loads(done.stdout)
    return news


def _end(folder: Folder) -> bool:
    """Ask the supervisor to end; tell whether there was one."""
    pid = _supervisor(folder)
    if pid:
        supervisor = psutil.Process(pid)
        supervisor.terminate()
        processes.wait([supervisor], timeout_s=_END_S)
    return bool(pid)


def _clear_up(folder: Folder) -> None:
    """End what a killed supervisor left running: its servers, its workers and their workloads."""
    if left := processes.sweep(folder.marks):
        _log.warning("Ended %d processes that an earlier local cloud had left in %s.", left, folder.path)
    folder.clear()


def _where(cloud: LocalCloud) -> str:
    return f"SQS and S3 at {cloud.sqs_url}, SaladCloud at {cloud.salad_url}, env files beside {cloud.submitter_env}"
