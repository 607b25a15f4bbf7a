"""The queue pair, the bucket, and who may use them.

``make(cloud)`` makes what the settings of one key name, as the notebooks do on the local cloud. A
``Setup`` is the whole of it: planned, applied and torn down, with a user for each role that may make
exactly its calls, an env file for each user, and a ``doctor`` that tries them.
"""

from lrtkit.queues.admin import Admin
from lrtkit.queues.cloudflare import Cloudflare
from lrtkit.queues.making import delete, make
from lrtkit.queues.pair import MAX_RECEIVES, QUEUE
from lrtkit.queues.plan import Action, Made, Outcome, Plan, Step
from lrtkit.queues.policies import Role
from lrtkit.queues.setup import Setup
from lrtkit.queues.trials import Diagnosis, Verdict, doctor

__all__ = [
    "MAX_RECEIVES",
    "QUEUE",
    "Action",
    "Admin",
    "Cloudflare",
    "Diagnosis",
    "Made",
    "Outcome",
    "Plan",
    "Role",
    "Setup",
    "Step",
    "Verdict",
    "delete",
    "doctor",
    "make",
]
