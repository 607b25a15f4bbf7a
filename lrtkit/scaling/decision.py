"""What is decided, and what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lrtkit.scaling.snapshot import Snapshot
from lrtkit.shown import verdict
from lrtkit.wire import shape
from lrtkit.wire.clock import iso


class Action(StrEnum):
    """What to do to a container group."""

    NOTHING = "nothing"
    SCALE = "scale"
    START = "start"
    STOP = "stop"


_VERDICTS = {
    Action.NOTHING: "Keep {}",
    Action.SCALE: "Scale to {}",
    Action.START: "Start with {}",
    Action.STOP: "Stop the group",
}


class Outcome(StrEnum):
    """What came of a decision."""

    DONE = "done"
    NOTHING_TO_DO = "nothing to do"
    DRY_RUN = "dry run"
    CHANGED = "changed by somebody else"
    LATE = "too late"
    FAILED = "failed"


@dataclass(frozen=True)
class Decision:
    """How many replicas to have, what to do for it, and why; ``alert`` is set where a person should look."""

    replicas: shape.Count
    action: Action
    reasons: tuple[str, ...]
    alert: bool = False

    def __str__(self) -> str:
        return "; ".join(self.reasons)

    @property
    def verdict(self) -> str:
        """What to do in a few words: ``Scale to 4 replicas``."""
        words = _VERDICTS[self.action].format(count(self.replicas, "replica"))
        return f"{words}, and a person should look" if self.alert else words

    def _repr_html_(self) -> str:
        return verdict(self.verdict, self.reasons)


@dataclass(frozen=True)
class Step:
    """What was seen, what was decided, and what came of it; ``note`` says what did not go as decided."""

    snapshot: Snapshot
    decision: Decision
    outcome: Outcome
    note: str = ""

    @property
    def at(self) -> str:
        """When it was, as ISO 8601 in UTC."""
        return iso(self.snapshot.at)

    @property
    def dry_run(self) -> bool:
        """Whether nothing was to be done."""
        return self.outcome is Outcome.DRY_RUN

    def __str__(self) -> str:
        dry = " (dry run)" if self.dry_run else ""
        done = " Done." if self.outcome is Outcome.DONE else ""
        return f"{self.decision}{dry}.{done}{f' {self.note}' if self.note else ''}"

    def _repr_html_(self) -> str:
        seen = self.snapshot
        group = f"{count(seen.replicas, 'replica')}: {seen.running} running, {seen.coming} coming, {seen.busy} busy"
        words = f"{seen.to_be_taken} jobs waiting, {seen.in_flight} in flight; group {seen.status}, set to {group}"
        reasons = [*self.decision.reasons, *([self.note] if self.note else [])]
        return verdict(f"{self.decision.verdict}: {self.outcome}", reasons, f"{self.at}: {words}")

    def to_json(self) -> dict[str, Any]:
        """Return the step as the bucket keeps it."""
        told = {"at": self.at, "dry_run": self.dry_run, **dataclasses.asdict(self)}
        return {**told, "decision": {**told["decision"], "reasons": list(self.decision.reasons)}}

    @classmethod
    def all_of(cls, lines: Iterable[Mapping[str, Any]]) -> list[Step]:
        """Read kept steps; one that is damaged, or that another kit has written in another form, says nothing."""
        steps = []
        for line in lines:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                steps.append(cls.from_json(line))
        return steps

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Step:
        """Read a kept step; what a later kit has added is left out, and what an earlier one lacks is as by default."""
        parts = {name: {**_DEFAULTS[name], **kept[name]} for name in ("snapshot", "decision")}
        return shape.read(cls, {"note": "", **kept, **parts}, "step")


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 job``, ``3 jobs``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _defaults(kind: type[Snapshot | Decision]) -> dict[str, Any]:
    fields = dataclasses.fields(kind)
    return {each.name: each.default for each in fields if each.default is not dataclasses.MISSING}


_DEFAULTS = {"snapshot": _defaults(Snapshot), "decision": _defaults(Decision)}
