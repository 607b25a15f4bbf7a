"""A replica: the real worker on a machine of its own, with everything around it a twin."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Mapping
from typing import Any

from lrtkit.wire.record import Holder
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import WorkerSettings
from lrtkit.wire.sqs import SqsQueue
from tests.simulation.chain import Chains
from tests.simulation.history import History
from tests.simulation.machine import Machine
from worker.loop import Worker
from worker.node import Node
from worker.organs import Organs
from worker.report import Report


class Metadata:
    """The metadata service of a replica, as ``Node`` calls it; ``cost`` is the deletion cost that was last set."""

    status = 200

    def __init__(self) -> None:
        self.cost = 0

    def request(self, _: str, url: str, *, json: Any, headers: Mapping[str, str]) -> Metadata:  # noqa: ARG002
        """Answer a request."""
        if url.endswith("/deletion-cost"):
            self.cost = json["deletion_cost"]
        return self


class Log(io.StringIO):
    """A log that becomes part of the history."""

    def __init__(self, history: History, who: str) -> None:
        super().__init__()
        self._history = history
        self._who = who

    def write(self, text: str) -> int:
        """Take down a line."""
        if text != "\n":
            self._history(self._who, "log", line=text)
        return len(text)


class Replica:
    """A worker at work from the moment it is made."""

    def __init__(
        self,
        machine: Machine,
        queue: SqsQueue,
        store: S3Store,
        *,
        settings: WorkerSettings,
        history: History,
        rng: random.Random,
    ) -> None:
        self.machine = machine
        self.metadata = Metadata()
        self._stop = asyncio.Event()
        holder = Holder(machine.name, machine.name)
        report = Report(machine, holder, Log(history, machine.name)) if history.is_verbose else Mute()
        organs = Organs(
            queue=queue,
            store=store,
            clock=machine,
            workloads=Chains(machine, history, rng),
            node=Node("http://metadata", machine, report, http=self.metadata),
            report=report,
            holder=holder,
            stop=self._stop,
        )
        machine.start(_work(organs, settings, history))

    @property
    def is_busy(self) -> bool:
        """Whether it would lose something if it were removed now, as far as it has said."""
        return self.metadata.cost > 0

    def stop(self) -> None:
        """Send the stop signal."""
        self._stop.set()


class Mute(Report):
    """A report that nobody reads."""

    def __init__(self) -> None:
        pass

    def about(self, **_: Any) -> Report:
        """Return itself."""
        return self

    def __call__(self, event: str, **facts: Any) -> None:
        """Say nothing."""


async def _work(organs: Organs, settings: WorkerSettings, history: History) -> None:
    """Work to the end; an error that nobody deals with is part of the history, for no worker may ever have one."""
    try:
        await Worker(organs, settings).work()
    except Exception as error:
        history(organs.holder.worker, "crashed", error=repr(error))
        raise
    history(organs.holder.worker, "leaves")
