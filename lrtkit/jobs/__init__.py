"""From a table to messages in the queue.

::

    DataFrame, CSV or dictionaries ─ table ─► rows ─ values · checking ─► jobs ─ sending ─► queue
                                                           │
                                                           └─► BadTable with every fault, and nothing is sent
"""

from lrtkit.jobs.checking import Known, Rules, check
from lrtkit.jobs.faults import BadTable, Fault
from lrtkit.jobs.sending import Sender
from lrtkit.jobs.table import Table

__all__ = ["BadTable", "Fault", "Known", "Rules", "Sender", "Table", "check"]
