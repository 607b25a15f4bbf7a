"""The command ``python -m lrtkit autoscale``: the same steps for people without Lambda."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path
from typing import Any

from lrtkit.autoscaler.scaler import Autoscaler
from lrtkit.autoscaler.scheduled import run as keep_stepping
from lrtkit.scaling.memory import LONGEST_PAUSE_S
from lrtkit.wire.errors import BadInput

NAME = "autoscale"
ENV_FILE = Path(".lrt", "autoscaler.env")

_WHAT = "set the replicas of the container group, again and again until SIGTERM or Ctrl-C"


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command's arguments to the parser's."""
    parser = commands.add_parser(NAME, help=_WHAT, description=_WHAT)
    parser.add_argument("--env-file", metavar="FILE", help=f"default: {ENV_FILE}, else the environment")
    parser.add_argument("--every", type=float, default=60, metavar="SECONDS", help="from step to step (default: 60)")
    parser.add_argument(
        "--once", action="store_true", help="take one step, then end: with 1 where the group has failed"
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what one step would do")


def run(arguments: argparse.Namespace) -> int:
    """Step until told to stop, but finish a step that has begun; return 1 where one step wants somebody to look."""
    if not 0 < arguments.every <= LONGEST_PAUSE_S:
        problem = f"--every must be more than 0 and at most {LONGEST_PAUSE_S:g} seconds, not {arguments.every:g}"
        raise BadInput(f"{problem}. Try: --every 60")
    scaler = _scaler(arguments.env_file)
    if arguments.once or arguments.dry_run:
        step = scaler.step(dry_run=arguments.dry_run)
        _say(str(step))
        return 1 if step.decision.alert else 0
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    keep_stepping(scaler, every_s=arguments.every, stopped=stopped, say=_say)
    _say("Stopped; the group is left as it is.")
    return 0


def _scaler(env_file: str | None) -> Autoscaler:
    path = env_file or (ENV_FILE if ENV_FILE.is_file() else None)
    return Autoscaler.from_env_file(path) if path else Autoscaler.from_env(os.environ)


def _say(line: str) -> None:
    print(line, flush=True)
