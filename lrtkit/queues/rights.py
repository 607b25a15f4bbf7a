"""Who may make which calls, as a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lrtkit.queues import policies
from lrtkit.queues.policies import Resource, Role
from lrtkit.queues.table import Table


@dataclass(frozen=True)
class Rights(Table):
    """A row for each call that a role may make; what has no row is refused."""

    roles: tuple[Role, ...]
    on_s3: bool

    columns = ("role", "resource", "call", "keys")

    @property
    def rows(self) -> Sequence[tuple[str, ...]]:
        """The calls; R2 knows no calls but only whether a token may write to a bucket."""
        return [row for role in self.roles for row in self._of(role)]

    def _of(self, role: Role) -> Sequence[tuple[str, ...]]:
        found = [(str(role), str(resource), call, patterns) for resource, call, patterns in policies.calls(role)]
        if self.on_s3:
            return found
        queues = [row for row in found if row[1] != Resource.BUCKET]
        return [*queues, (str(role), str(Resource.BUCKET), "read, write, list and delete", "all")]

    def __repr__(self) -> str:
        return self.text()
