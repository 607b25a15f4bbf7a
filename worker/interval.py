"""How often to save: the least time between two checkpoints."""

from __future__ import annotations

import math

from lrtkit.wire.record import Record

SHORTEST_S = 1.0
"""One write a second to one key is what R2 takes."""

PRIOR_MTBI_S = 21 * 3600
"""Mean time between interruptions before anything was seen: a published run of five replicas on SaladCloud."""


def mtbi_s(record: Record, running_s: float) -> float:
    """Return the mean time between interruptions: the prior as one interruption seen in its time, and the job's own."""
    return (PRIOR_MTBI_S + running_s) / (1 + record.counts.interruptions)


def best_interval_s(*, stall_s: float, upload_s: float, mtbi_s: float) -> float:
    """Return max(√(2sμ), U), the best time between saves whose upload runs in the background.

    Young, Commun. ACM 17 (1974) 530, with the stall s in the place of the blocking time; μ is the
    mean time between interruptions and U the upload time.
    """
    return max(math.sqrt(2 * stall_s * mtbi_s), upload_s, SHORTEST_S)
