"""Sets the replicas of a container group from the depth of a queue: look, decide, act, verify, keep.

::

    scaler = Autoscaler.from_env_file("autoscaler.env")
    scaler.step(dry_run=True)      what it would do, and why
    scaler.step()                  does it
    scaler.history()               what everybody's steps saw and did

``lrtkit.autoscaler.handler`` is the same as a function of AWS Lambda, and ``python -m lrtkit autoscale --every 60``
the same for people without Lambda. Steps that overlap do no harm: each reads, decides and sets a number anew,
none acts on a reading that has grown old, and whatever one leaves behind the next puts right.
"""

from lrtkit.autoscaler.scaler import Autoscaler
from lrtkit.autoscaler.scheduled import handler, run
from lrtkit.scaling import Step

__all__ = ["Autoscaler", "Step", "handler", "run"]
