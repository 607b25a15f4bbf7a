"""What a workload prints: passed on with its job's id, bounded, the last lines kept for a failure."""

from __future__ import annotations

import asyncio
import os
from collections import deque

from worker.report import Report

KEPT_LINES = 50
LONGEST_LINE = 2_000
LINES_A_MINUTE = 600
PIECE = 65_536


class Output:
    """The reading end of a workload's standard output and error.

    A pipe of our own, not asyncio's: a grandchild that keeps it open must not hide the end of the
    workload. What is printed beyond the limit is read and dropped, so that a workload can neither
    block on a full pipe nor fill the disk with logs.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._rest = b""
        self._passed = 0
        self._dropped = 0
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)
        self._minute = self._loop.call_later(60, self._new_minute)

    @property
    def tail(self) -> str:
        """The last lines that were printed."""
        return "\n".join(self._lines)

    def started(self) -> None:
        """Close our copy of the writing end, once the workload has its own."""
        os.close(self.writer)

    def close(self) -> None:
        """Read what is left and let go."""
        self._read()
        self._take_line(self._rest)
        self._minute.cancel()
        self._tell_dropped()
        self._loop.remove_reader(self._reader)
        os.close(self._reader)

    def _read(self) -> None:
        try:
            piece = os.read(self._reader, PIECE)
        except BlockingIOError:
            return
        if not piece:
            self._loop.remove_reader(self._reader)
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        text = line[:LONGEST_LINE].decode("utf-8", "replace").rstrip("\r")
        if not text:
            return
        self._lines.append(text)
        if self._passed < LINES_A_MINUTE:
            self._passed += 1
            self._report("output", line=text)
        else:
            self._dropped += 1

    def _new_minute(self) -> None:
        self._tell_dropped()
        self._passed = self._dropped = 0
        self._minute = self._loop.call_later(60, self._new_minute)

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._report("output-dropped", lines=self._dropped)
