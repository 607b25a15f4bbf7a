"""How often to save: the least time between two checkpoints."""

from __future__ import annotations

import math

from lrtkit.wire.clock import seconds_of
from lrtkit.wire.record import Cause, Outcome, Record

SHORTEST_S = 1.0
"""One write a second to one key is what R2 takes."""

PRIOR_MTBI_S = 21 * 3600
"""Mean time between interruptions before anything was seen: a published run of five replicas on SaladCloud."""


WRITE_COST_S = 0.1
"""What a write to the bucket costs in seconds of work: $4.50 a million, on a GPU of $0.16 an hour."""

FORESEEN = frozenset({Cause.HANDOVER, Cause.WORKLOAD})
"""Interruptions that tell nothing about how often nodes are lost."""


def mtbi_s(record: Record, running_s: float) -> float:
    """Return the mean time between interruptions: the prior as one interruption seen in its time, and the job's own.

    Times and interruptions are both those of the attempts that the record keeps.
    """
    ended = [(attempt, attempt.ended_at) for attempt in record.attempts if attempt.ended_at]
    seen_s = sum(seconds_of(ended_at) - seconds_of(attempt.started_at) for attempt, ended_at in ended)
    lost = sum(attempt.outcome == Outcome.INTERRUPTED and attempt.cause not in FORESEEN for attempt, _ in ended)
    return (PRIOR_MTBI_S + max(0.0, seen_s) + running_s) / (1 + lost)


def best_interval_s(*, stall_s: float, upload_s: float, mtbi_s: float, running_s: float) -> float:
    """Return max(√(2sμ), U), the best time between saves whose upload runs in the background.

    Young, Commun. ACM 17 (1974) 530, with the stall s in the place of the blocking time; μ is the
    mean time between interruptions and U the upload time. No save is cheaper than its write, but a
    young attempt saves at twice its age at the latest, so that a short job can be followed too.
    """
    paid_s = min(math.sqrt(2 * WRITE_COST_S * mtbi_s), running_s)
    return max(math.sqrt(2 * stall_s * mtbi_s), upload_s, paid_s, SHORTEST_S)
