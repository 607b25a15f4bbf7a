"""The command ``python -m lrtkit.local up|status|down``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from lrtkit.local.cloud import Condition, down, status, up
from lrtkit.wire.errors import LrtError

_INTERRUPTED = 130  # as a shell says it


def main() -> int:
    """Run one command; its story goes to standard output, a failure to standard error."""
    arguments = vars(_parser().parse_args())
    command = arguments.pop("command")
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a terminated `up` leaves as little as a Ctrl-C
    try:
        return int(_COMMANDS[command](**arguments) or 0)
    except LrtError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Try: python -m lrtkit.local status\n")
        return _INTERRUPTED


def _status(**arguments: Any) -> int:
    now = status(**arguments)
    sys.stdout.write(f"{now.sentence}\n")
    return 0 if now.condition is Condition.RUNNING else 1


def _up(**arguments: Any) -> int:
    up(**arguments)
    return 0


_COMMANDS: dict[str, Callable[..., int | None]] = {"up": _up, "status": _status, "down": down}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lrtkit.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start the local cloud in the background, or find the one that runs")
    for other in (
        start,
        commands.add_parser("status", help="tell how it is"),
        commands.add_parser("down", help="end it"),
    ):
        other.add_argument("--dir", default=".lrt", help="the cloud's folder (default: .lrt)")
    for name, kind, what in _OPTIONS:
        start.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, help=what)
    return parser


_OPTIONS = (
    ("sqs-port", int, "port of SQS and S3 (default: any free one)"),
    ("salad-port", int, "port of the local SaladCloud (default: any free one)"),
    ("queue", str, "name of the job queue (default: lrt-jobs.fifo)"),
    ("dead-letter-queue", str, "name of the dead-letter queue (default: lrt-jobs-dead.fifo)"),
    ("bucket", str, "name of the bucket (default: lrt)"),
    ("startup-s", float, "seconds until a replica runs (default: 3)"),
    ("interruptions-per-hour", float, "rate for each running replica (default: 0)"),
    ("zombie-s", float, "seconds for which a zombie stands still (default: 60)"),
    ("grace-s", float, "seconds from SIGTERM to SIGKILL of a replica (default: 10)"),
    ("seed", int, "where random choices begin (default: 0)"),
)

if __name__ == "__main__":
    sys.exit(main())
