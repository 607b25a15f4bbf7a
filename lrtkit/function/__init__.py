"""The autoscaler as a function of AWS Lambda: made, brought up to date, called, and taken away again.

::

    deploy("autoscaler.env", every_minutes=5)     role, function, schedule, the queue's statement, alarms
    invoke("autoscaler.env")                      one step now, and what came of it
    undeploy("autoscaler.env")                    leaves nothing behind

The function reads the queue's depth by its role, and has no key of AWS. SaladCloud's and the bucket's keys are in
its environment, which Lambda keeps encrypted: with the account's own key, or with ``kms_key_arn``, so that only who
may use that key can read them. Nothing here shows or logs them.
"""

from lrtkit.function.bundle import bundle
from lrtkit.function.deployment import Deployment, deploy, invoke, undeploy

__all__ = ["Deployment", "bundle", "deploy", "invoke", "undeploy"]
