"""A million rows go through a submission into nothing: how much memory that takes, and how long.

Run as a program of its own, ``python -m bench.million ROWS``, so that nothing else is in its memory;
prints the megabytes above what it had before, the seconds, and how many rows were sent.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from lrtkit.experiment import Experiment
from tests.nowhere import Nowhere

MB = 1_000_000


def main(rows: int) -> None:
    """Submit so many rows, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="lrt-bench-") as folder:
        path = Path(folder) / "jobs.csv"
        with path.open("w") as file:
            file.write("name,steps,temperature,density,seed,thermostat\n")
            file.writelines(_lines(rows))
        experiment = Experiment("argon", Nowhere().cloud)
        before, began = _peak(), time.monotonic()
        receipt = experiment.submit(path)
        print((_peak() - before) / MB, time.monotonic() - began, receipt["outcome"].eq("sent").sum())


def _lines(rows: int) -> Iterable[str]:
    return (f"t{row:07},{1000 + row % 7},{0.7 + row % 13 / 10},{row / rows},{row},langevin\n" for row in range(rows))


def _peak() -> int:
    """Return the most bytes of memory that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # of a program just started, the other way tells what its parent had
        return next(int(line.split()[1]) * 1024 for line in status.open() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]))
