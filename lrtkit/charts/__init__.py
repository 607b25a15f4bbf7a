"""Charts: a DataFrame goes in, matplotlib Axes come out; no network, no clock, no pyplot.

::

    overview(status)                         all jobs at a glance, a cell a job, from ten to ten thousand
    forecast(status, attempts)               the work done over time, and the time left with a band
    progress(attempts)                       every job in a lane of its own, interruptions marked
    attempts(attempts, job_id)               one job's attempts, machine by machine
    goodput(why.frame)                       where one job's time went: useful, redone, waiting, starting
    interruptions(attempts)                  what interrupted the jobs, on which machines
    queue_depth(depth)                       how many jobs wait, run and died, over time
    against(results, x=…, y=…)               results over a parameter of any kind, beside published values
    backtest(scores)                         policies of the autoscaler, day by day

Each draws into ``ax`` or, without one, into a Figure of its own that shows itself in a notebook:
end the cell with ``charts.progress(frame).figure``. ``alt(ax)`` is the picture in one sentence, for
whoever cannot see it; ``png(ax)`` is the picture as bytes, that sentence inside.

A Figure given by the caller should be made with ``layout="constrained"``: labels stand beside the
Axes.
"""

from lrtkit.charts.comparison import against
from lrtkit.charts.depth import queue_depth
from lrtkit.charts.forecast import forecast
from lrtkit.charts.goodput import goodput
from lrtkit.charts.interruptions import interruptions
from lrtkit.charts.lanes import progress
from lrtkit.charts.overview import overview
from lrtkit.charts.policies import backtest
from lrtkit.charts.story import attempts
from lrtkit.charts.style import alt, png

__all__ = [
    "against",
    "alt",
    "attempts",
    "backtest",
    "forecast",
    "goodput",
    "interruptions",
    "overview",
    "png",
    "progress",
    "queue_depth",
]
