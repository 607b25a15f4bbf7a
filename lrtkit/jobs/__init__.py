"""From a table to messages in the queue.

::

    DataFrame, CSV or dicts ─ table ─► rows ─ values · checking ─► jobs ─ difference ─► new jobs ─ sending ─► queue
                                                          │                   │
                             BadTable with every fault ◄──┘                   └─ frames ─► plan, receipt
"""

from lrtkit.jobs.checking import Rules, check
from lrtkit.jobs.difference import Action, Difference, Known, compare
from lrtkit.jobs.faults import BadTable, Fault
from lrtkit.jobs.foresight import Work, foresee
from lrtkit.jobs.sending import Sender
from lrtkit.jobs.table import Row, Rows, Table, read

__all__ = [
    "Action",
    "BadTable",
    "Difference",
    "Fault",
    "Known",
    "Row",
    "Rows",
    "Rules",
    "Sender",
    "Table",
    "Work",
    "check",
    "compare",
    "foresee",
    "read",
]
