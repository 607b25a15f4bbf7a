"""How many replicas there should be: numbers in, a decision with its reasons out; arithmetic only.

::

    Snapshot ──┐
    Policy   ──┼── decide ──► Decision(replicas, action, reasons)
    history  ──┘

A snapshot is one reading of queue and container group. ``decide`` asks the policy's rule how many replicas are
wanted (``rules``), keeps them within the limits that were asked for (``limits``), and looks up in one table what
that means for a group in its present state (``states``).
"""

from lrtkit.scaling.decision import Action, Decision, Outcome, Step
from lrtkit.scaling.policy import MOST_REPLICAS, Policy, Rule
from lrtkit.scaling.rules import decide
from lrtkit.scaling.snapshot import Snapshot

__all__ = ["MOST_REPLICAS", "Action", "Decision", "Outcome", "Policy", "Rule", "Snapshot", "Step", "decide"]
