"""What the parts of a deployed function are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lrtkit.autoscaler.settings import cloud_settings, group_name

LONGEST_NAME = 59  # a role is called the same and something more, for which AWS takes 64


@dataclass(frozen=True)
class Plan:
    """The names of one deployed function, and how often it steps; there is one for a container group."""

    name: str
    queue_url: str
    every_minutes: int = 5

    @classmethod
    def of(cls, env: Mapping[str, str], every_minutes: int = 5) -> Plan:
        """Return the plan for the group of an autoscaler's environment."""
        return cls(f"lrtkit-{group_name(env)}"[:LONGEST_NAME], cloud_settings(env).queue.url, every_minutes)

    @property
    def role(self) -> str:
        """The role that the function runs as."""
        return f"{self.name}-role"

    @property
    def log_group(self) -> str:
        """Where Lambda writes what the function says."""
        return f"/aws/lambda/{self.name}"

    @property
    def statement(self) -> str:
        """What the queue's policy calls its statement for the function."""
        return "".join(part.title() for part in self.name.replace("_", "-").split("-"))

    @property
    def alarm(self) -> str:
        """The alarm on errors."""
        return f"{self.name}-errors"

    @property
    def silence(self) -> str:
        """The alarm on a function that is not called."""
        return f"{self.name}-silent"
