"""What a local cloud is started with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from lrtkit.local.salad.settings import Settings
from lrtkit.wire.errors import BadInput


class Options(TypedDict, total=False):
    """The keyword arguments of ``up``: ports (0: any free one), names, and the local SaladCloud's settings."""

    sqs_port: int
    salad_port: int
    queue: str
    dead_letter_queue: str
    bucket: str
    startup_s: float
    interruptions_per_hour: float
    kinds: Mapping[str, float]
    zombie_s: float
    linger_s: float
    grace_s: float
    replicas_quota: int
    requests_per_minute: int
    seed: int


@dataclass(frozen=True)
class Launch:
    """Ports and names, which stay as they are, and settings, which can be changed later."""

    sqs_port: int = 0
    salad_port: int = 0
    queue: str = "lrt-jobs.fifo"
    dead_letter_queue: str = "lrt-jobs-dead.fifo"
    bucket: str = "lrt"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Launch:
        """Sort the options of ``up``; raise BadInput where one is unknown or wrong."""
        fixed, settings = split(options)
        launch = cls(**fixed, settings=settings)
        Settings().changed(settings)
        for queue in (launch.queue, launch.dead_letter_queue):
            if not queue.endswith(".fifo"):
                raise BadInput(f"The queue {queue!r} must be a FIFO queue. Try: {queue}.fifo")
        return launch

    def to_json(self) -> str:
        """Return what ``from_json`` reads."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Launch:
        """Return the launch that ``to_json`` wrote."""
        return cls(**json.loads(text))


def split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options that a running cloud cannot change, and those that it can."""
    names = {option.name for option in dataclasses.fields(Launch)} - {"settings"}
    fixed = {name: value for name, value in options.items() if name in names}
    return fixed, {name: value for name, value in options.items() if name not in names}
