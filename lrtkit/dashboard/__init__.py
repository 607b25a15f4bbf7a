"""The live face of an experiment in a notebook: one picture that is redrawn in place, or a whole board with controls.

::

    bucket, queue ── look ──► Reading ── face ──► picture, table, story ──► cell
          ▲   (on a thread of its own)                                        │
          └────────────── orders: refresh, redraw, cancel, retry, step ◄──────┘ widgets

Nothing is kept here: what is shown comes from the bucket and the queue, so that a page that was loaded
again, a kernel that was started again and a colleague see the same.
"""

from lrtkit.dashboard.board import Dashboard
from lrtkit.dashboard.watching import watch

__all__ = ["Dashboard", "watch"]
