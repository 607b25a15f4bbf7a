"""Thousands of long jobs on interruptible machines, run from a notebook.

::

    DataFrame ── check ── submit ──► SQS FIFO queue ──► worker: lease · heartbeat ──► workload (own process)
        ▲                               │                     │                           │ checkpoints
        │                               │ real failures       └──── job record (CAS) ◄────┘
        │                               ▼                                │
     results, status              dead-letter queue               R2 / S3 bucket ──► status ──► charts
                                                                         │
     SaladCloud replicas ◄── autoscaler ◄── queue depth ─────────────────┘

The way of a job begins here::

    cloud = lrtkit.connect()                    # .lrt/submitter.env, or an env file, or the environment
    lrtkit.queues.make(cloud)                   # once: the queue pair and the bucket
    exp = lrtkit.Experiment("argon", cloud)
    exp.submit(df)                              # a row a job; a second time nothing is sent
    exp.wait()
    exp.results()

Names are resolved when they are first used, so that importing lrtkit brings in nothing heavy.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrtkit.connection import Cloud, connect
    from lrtkit.experiment import Experiment
    from lrtkit.jobs import BadTable
    from lrtkit.progress import Progress
    from lrtkit.resuming import check_resume
    from lrtkit.wire.errors import BadInput, InvalidJob, LrtError
    from lrtkit.wire.workload import Checkpoint, Result

_HOMES = {
    "BadInput": "lrtkit.wire.errors",
    "BadTable": "lrtkit.jobs",
    "Checkpoint": "lrtkit.wire.workload",
    "Cloud": "lrtkit.connection",
    "Experiment": "lrtkit.experiment",
    "InvalidJob": "lrtkit.wire.errors",
    "LrtError": "lrtkit.wire.errors",
    "Progress": "lrtkit.progress",
    "Result": "lrtkit.wire.workload",
    "check_resume": "lrtkit.resuming",
    "connect": "lrtkit.connection",
}
_MODULES = (
    "autoscaler",
    "backtest",
    "charts",
    "dashboard",
    "function",
    "local",
    "panel",
    "progress",
    "queues",
    "salad",
    "scaling",
)

__all__ = [
    "BadInput",
    "BadTable",
    "Checkpoint",
    "Cloud",
    "Experiment",
    "InvalidJob",
    "LrtError",
    "Progress",
    "Result",
    "check_resume",
    "connect",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(_imported(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return _imported(f"{__name__}.{name}")
    raise AttributeError(f"lrtkit has no {name!r}. Try one of: {', '.join(sorted([*_HOMES, *_MODULES]))}")


def _imported(module: str) -> Any:
    """Import a module of the kit; raise NotInstalled where it needs a package that is not there."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        from lrtkit.wire.errors import NotInstalled  # noqa: PLC0415 - nothing is imported before its time

        if error.name is None or error.name.partition(".")[0] in {"lrtkit", "worker"}:
            raise
        there = f"{error.name}, which is not installed in {sys.executable}"
        raise NotInstalled(f"{module} needs {there}. Try: pip install -e '.[all]', or another kernel") from error


def __dir__() -> list[str]:
    return sorted({*_HOMES, *_MODULES, *(name for name in globals() if name.startswith("__"))})
