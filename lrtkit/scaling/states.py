"""What a wish for replicas means for a group in each of its states, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from lrtkit.scaling.decision import Action
from lrtkit.scaling.snapshot import Snapshot


@dataclass(frozen=True)
class State:
    """What to do where other replicas are wanted, where as many are wanted as there are, and where none are.

    A group that stays as it is after a start is not started again before ``patience_s``.
    """

    other: Action
    same: Action
    none: Action
    is_started: bool = True
    alert: bool = False
    patience_s: float = 0.0


_UP = State(Action.SCALE, Action.NOTHING, Action.STOP)
_DOWN = State(Action.START, Action.START, Action.NOTHING, is_started=False)

STATES = {
    "pending": State(Action.START, Action.START, Action.STOP, is_started=False, patience_s=600),
    "deploying": _UP,
    "running": _UP,
    "stopped": _DOWN,
    "succeeded": _DOWN,
    "failed": State(Action.START, Action.START, Action.NOTHING, is_started=False, alert=True, patience_s=3600),
}
"""A START sets the replicas first, because a group must not start with an old number of them."""


def state_of(seen: Snapshot) -> State:
    """Return the group's state; one with a new name is started if it has instances, and stopped in any case."""
    unknown = _UP if seen.running + seen.coming else STATES["pending"]
    return STATES.get(seen.status, unknown)


def action(state: State, seen: Snapshot, replicas: int) -> Action:
    """Return what brings the group to so many replicas."""
    if not replicas:
        return state.none
    return state.same if replicas == seen.replicas else state.other
