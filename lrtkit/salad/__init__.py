"""The SaladCloud API: container groups, their instances, quotas and prices.

Talks to ``https://api.salad.com/api/public`` or, by another base URL, to the local SaladCloud. Whatever an answer says
that is not known here is read as ``unknown`` or left out; every failure is an error of the kit that says which call it
was, what came back and what to do.
"""

from lrtkit.salad.answers import Counts, GpuClass, Group, GroupStatus, Instance, InstanceState, Quota
from lrtkit.salad.client import SaladClient
from lrtkit.salad.settings import BASE_URL, SaladSettings
from lrtkit.salad.workers import Workers, deploy

__all__ = [
    "BASE_URL",
    "Counts",
    "GpuClass",
    "Group",
    "GroupStatus",
    "Instance",
    "InstanceState",
    "Quota",
    "SaladClient",
    "SaladSettings",
    "Workers",
    "deploy",
]
