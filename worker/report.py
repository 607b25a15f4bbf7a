"""What the worker tells: one JSON object a line, or readable text on a terminal."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from lrtkit.wire.clock import Clock, iso
from lrtkit.wire.record import Holder


class Report:
    """Writes events; ``about`` gives a report that adds facts, such as the job, to every event."""

    def __init__(self, clock: Clock, holder: Holder, stream: TextIO = sys.stdout, **facts: Any) -> None:
        self._clock = clock
        self._holder = holder
        self._stream = stream
        self._facts = facts

    def about(self, **facts: Any) -> Report:
        """Return a report whose events carry these facts too."""
        return Report(self._clock, self._holder, self._stream, **{**self._facts, **facts})

    def __call__(self, event: str, **facts: Any) -> None:
        """Tell that something happened."""
        facts = {**self._facts, **facts}
        write = self._text if self._stream.isatty() else self._json
        print(write(event, facts), file=self._stream, flush=True)

    def _json(self, event: str, facts: dict[str, Any]) -> str:
        who = {"worker": self._holder.worker, "machine": self._holder.machine}
        return json.dumps({"at": iso(self._clock.now()), "event": event, **facts, **who}, default=str)

    def _text(self, event: str, facts: dict[str, Any]) -> str:
        job_id = facts.pop("job_id", "")
        rest = "  ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
        return f"{iso(self._clock.now())[11:19]}  {job_id:<24} {event:<20} {rest}".rstrip()
