"""What is done with chosen jobs after they were submitted: each change is a compare-and-swap of the job's record.

::

    ids ─ choice ─► jobs ─┬─ cancelling ─► record cancelled, or its holder asked to stop
                          └─ retrying ───► record reopened ─► new message ─► dead letter deleted
    dead-letter queue ─ letters ─► DataFrame
    all jobs ─ purging ─► a last record each, all else deleted
"""

from lrtkit.control import letters, purging, retrying
from lrtkit.control.cancelling import cancel
from lrtkit.control.choice import Ids, choose
from lrtkit.control.retrying import retry

__all__ = ["Ids", "cancel", "choose", "letters", "purging", "retry", "retrying"]
