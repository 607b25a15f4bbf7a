"""The queue pair and the bucket: made as the settings name them, and as the worker needs them."""

from lrtkit.queues.making import delete, make
from lrtkit.queues.pair import MAX_RECEIVES, QUEUE
from lrtkit.queues.plan import Action, Made, Outcome, Plan, Step

__all__ = ["MAX_RECEIVES", "QUEUE", "Action", "Made", "Outcome", "Plan", "Step", "delete", "make"]
