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
from worker import orphans, stop
from worker.host import missing
from worker.loop import Worker
from worker.node import Node, holder
from worker.organs import Organs
from worker.process import Processes
from worker.report import Report

T = TypeVar("T")

EXIT_SETTINGS = 78


async def work(cloud: CloudSettings, settings: WorkerSettings) -> None:
    """Put a worker together and let it work."""
    orphans.adopt()
    clock = SystemClock()
    report = Report(clock, holder())
    secrets = (*cloud.queue.access.secrets, *cloud.bucket.access.secrets)
    workloads = Processes(settings.workload, clock, secrets=secrets, env=os.environ)

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
    elif lacking := missing(settings.workload):  # or every job would be set aside for a fault of the image
        _refuse(f"LRT_WORKLOAD names the {lacking}, which is not here. Try: copy it into the image, or mend the name")
    else:
        asyncio.run(work(cloud, settings))
    os._exit(0)  # a poll that hangs in its thread must not keep the container


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
