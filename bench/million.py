"""A million rows go through a submission into nothing: how much memory that takes, and how long.

Run as a program of its own, ``python -m bench.million ROWS``, so that nothing else is in its memory;
prints the megabytes above what it had before, the seconds, and how many rows were sent.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

from lrtkit.connection import Cloud
from lrtkit.experiment import Experiment
from lrtkit.wire.errors import LrtError
from lrtkit.wire.s3 import Item, Listed, S3Store
from lrtkit.wire.settings import Access, BucketSettings, CloudSettings, QueueSettings
from lrtkit.wire.sqs import Depth, Outgoing, SqsQueue

MB = 1_000_000


class Nowhere:
    """A queue and a bucket that take everything at once and keep nothing."""

    name = bucket = "nowhere"
    calls_per_s = float("inf")

    def largest_message(self) -> int:
        """Return what SQS takes."""
        return 1024 * 1024

    def depth(self) -> Depth:
        """Return that nothing is there."""
        return Depth(0, 0, 0, 0)

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:  # noqa: ARG002
        """Take everything."""
        return {}

    def get(self, key: str) -> Item | None:  # noqa: ARG002
        """Return that nothing is there."""
        return None

    def listed(self, prefix: str) -> Iterator[Listed]:  # noqa: ARG002
        """List nothing."""
        return iter(())

    def put(self, key: str, body: bytes) -> None:
        """Keep nothing."""

    def upload(self, path: Path, key: str) -> None:
        """Keep nothing."""

    def swap(self, key: str, body: bytes, etag: str | None) -> str:  # noqa: ARG002
        """Keep nothing."""
        return "etag"


def main(rows: int) -> None:
    """Submit so many rows, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="lrt-bench-") as folder:
        path = Path(folder) / "jobs.csv"
        with path.open("w") as file:
            file.write("name,steps,temperature,density,seed,thermostat\n")
            file.writelines(_lines(rows))
        experiment = Experiment("argon", _cloud())
        before, began = _peak(), time.monotonic()
        receipt = experiment.submit(path)
        print((_peak() - before) / MB, time.monotonic() - began, receipt["outcome"].eq("sent").sum())


def _lines(rows: int) -> Iterable[str]:
    return (f"t{row:07},{1000 + row % 7},{0.7 + row % 13 / 10},{row / rows},{row},langevin\n" for row in range(rows))


def _cloud() -> Cloud:
    access, nowhere = Access("", ""), Nowhere()
    settings = CloudSettings(QueueSettings("", "", "", access), BucketSettings("", "", access))
    return Cloud(cast("SqsQueue", nowhere), cast("S3Store", nowhere), settings, "the bench")


def _peak() -> int:
    """Return the most bytes of memory that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # of a program just started, the other way tells what its parent had
        return next(int(line.split()[1]) * 1024 for line in status.open() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]))
