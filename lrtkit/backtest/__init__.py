"""What a policy would have cost: a day's jobs played through under several policies, second by second.

::

    days.drain() ──┐                                      one row a policy: cost, waiting, idle time,
    policies     ──┼── compare ──► DataFrame ──► charts.backtest   busy kills, direction changes
    World        ──┘

The same ``decide`` that sets real replicas sets the played ones. The world around it is made from published
measurements of SaladCloud (``World``): how long replicas take to come, how often they vanish, what an hour costs.
"""

from lrtkit.backtest.days import Day
from lrtkit.backtest.playing import Contender, Score, compare, play
from lrtkit.backtest.world import World

__all__ = ["Contender", "Day", "Score", "World", "compare", "play"]
