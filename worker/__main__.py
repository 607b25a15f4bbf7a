"""Runs the worker: ``python -m worker``, with its settings in the environment (contract 1)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from lrtkit.wire.clock import SystemClock
from lrtkit.wire.errors import BadInput
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings, WorkerSettings
from lrtkit.wire.sqs import SqsQueue
from worker import loading, orphans, stop
from worker.loop import Worker
from worker.node import Node, holder
from worker.organs import Organs
from worker.process import Processes, without_keys
from worker.report import Report

T = TypeVar("T")

EXIT_SETTINGS = 78


async def work(cloud: CloudSettings, settings: WorkerSettings) -> None:
    """Put a worker together and let it work."""
    orphans.adopt()
    clock = SystemClock()
    report = Report(clock, holder())
    workloads = Processes(settings.workload, clock, grace_s=settings.grace_s, env=_env_of_workloads(cloud))

    def end_at_once() -> None:
        workloads.kill_all()
        os._exit(0)

    organs = Organs(
        queue=SqsQueue(cloud.queue),
        store=S3Store(cloud.bucket),
        clock=clock,
        workloads=workloads,
        node=Node(settings.imds_url, clock, report),
        report=report,
        holder=holder(),
        stop=stop.listen(end_at_once),
    )
    await Worker(organs, settings).work()


def main() -> None:
    """Read the settings and work; leave with 78 and one sentence where the settings are wrong."""
    cloud, settings = _read(CloudSettings.from_env), _read(WorkerSettings.from_env)
    if isinstance(cloud, BadInput) or isinstance(settings, BadInput):
        faults = (str(each) for each in (cloud, settings) if isinstance(each, BadInput))
        _refuse("; ".join(faults))
    elif why := loading.fault(settings.workload, _env_of_workloads(cloud)):
        _refuse(why)
    else:
        asyncio.run(work(cloud, settings))
    os._exit(0)  # a poll that hangs in its thread must not keep the container


def _env_of_workloads(cloud: CloudSettings) -> dict[str, str]:
    return without_keys(os.environ, frozenset((*cloud.queue.access.secrets, *cloud.bucket.access.secrets)))


def _refuse(sentence: str) -> NoReturn:
    print("worker:", sentence, file=sys.stderr)
    sys.exit(EXIT_SETTINGS)


def _read(settings: Callable[[], T]) -> T | BadInput:
    try:
        return settings()
    except BadInput as error:
        return error


if __name__ == "__main__":
    main()
