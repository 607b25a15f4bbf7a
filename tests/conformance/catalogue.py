"""All rules, in the order of the matrix."""

from __future__ import annotations

from tests.conformance import (
    s3_lists,
    s3_objects,
    sqs_dead_letters,
    sqs_leases,
    sqs_queues,
    sqs_receiving,
    sqs_sending,
)
from tests.conformance.rules import RULES

_MODULES = (sqs_sending, sqs_receiving, sqs_leases, sqs_dead_letters, sqs_queues, s3_objects, s3_lists)
_ORDER = [module.__name__ for module in _MODULES]

ALL = sorted(RULES, key=lambda rule: _ORDER.index(rule.check.__module__))
