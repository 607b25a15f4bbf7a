"""Charts: a DataFrame goes in, matplotlib Axes come out; no network, no clock, no pyplot.

::

    queue_depth(depth)                       how many jobs wait, run and died, over time
    progress(attempts)                       every job in a lane of its own, interruptions marked
    attempts(attempts, job_id)               one job's attempts, machine by machine
    against(results, x=…, y=…, by=…)         results over a parameter, beside published values
    backtest(scores)                         policies of the autoscaler, day by day

Each draws into ``ax`` or, without one, into a Figure of its own that shows itself in a notebook:
end the cell with ``charts.progress(frame).figure``. ``alt(ax)`` is the picture in one sentence, for
whoever cannot see it; ``png(ax)`` is the picture as bytes, that sentence inside.

A Figure given by the caller should be made with ``layout="constrained"``: labels stand beside the
Axes.
"""

from lrtkit.charts.comparison import against
from lrtkit.charts.depth import queue_depth
from lrtkit.charts.lanes import progress
from lrtkit.charts.policies import backtest
from lrtkit.charts.story import attempts
from lrtkit.charts.style import alt, png

__all__ = ["against", "alt", "attempts", "backtest", "png", "progress", "queue_depth"]
