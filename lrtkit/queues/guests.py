"""What a deployed autoscaler adds to the policy of its queue: it is no drift, and stays when the policy is mended."""

from __future__ import annotations

import json
import re
from typing import Any

from lrtkit.queues.policies import QUEUE_CALLS, Role

_ROLE = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/lrtkit-[\w+=,.@-]+")


def without_guests(policy: str, queue_arn: str) -> str:
    """Return a policy without the statements that let functions of the kit count messages, and do nothing else."""
    return _with_statements(policy, [each for each in _statements(policy) if not _is_guest(each, queue_arn)])


def with_guests(policy: str, found: str, queue_arn: str) -> str:
    """Return a policy with those of such statements that are found in another."""
    return _with_statements(
        policy, [*_statements(policy), *(each for each in _statements(found) if _is_guest(each, queue_arn))]
    )


def _is_guest(statement: dict[str, Any], queue_arn: str) -> bool:
    """Tell whether a statement says no more than that a function's role, of the queue's own account, may count."""
    principal = statement.get("Principal")
    role = _ROLE.fullmatch(str(principal.get("AWS"))) if isinstance(principal, dict) else None
    said = {name: statement.get(name) for name in ("Effect", "Action", "Resource")}
    count = {"Effect": "Allow", "Action": QUEUE_CALLS[Role.AUTOSCALER][0], "Resource": queue_arn}
    return said == count and role is not None and role[1] == queue_arn.split(":")[4]


def _statements(policy: str) -> list[dict[str, Any]]:
    return list(json.loads(policy)["Statement"])


def _with_statements(policy: str, statements: list[dict[str, Any]]) -> str:
    return json.dumps({**json.loads(policy), "Statement": statements})
