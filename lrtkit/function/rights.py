"""The function's role, what it may do, and the queue's word on it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lrtkit.function.account import Account
from lrtkit.function.plan import Plan
from lrtkit.queues import policies
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, Conflict, LrtError, NotFound
from lrtkit.wire.sqs import name_of

T = TypeVar("T")

RIGHTS = "rights"
LOG_DAYS = 30
_SETTLE_S = 30.0
"""A role is known everywhere only some seconds after it was made."""


def make_role(account: Account, plan: Plan) -> str:
    """Make the role that only Lambda may take on; it may write its log and read the queue's depth; return its ARN."""
    iam = account.client("iam")
    with aws.explained(f"cannot make the role {plan.role}"):
        try:
            iam.create_role(RoleName=plan.role, AssumeRolePolicyDocument=json.dumps(_TRUST), Description="lrtkit")
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=plan.role, PolicyDocument=json.dumps(_TRUST))
        arn = str(iam.get_role(RoleName=plan.role)["Role"]["Arn"])
        document = json.dumps(_rights(account.region, arn.split(":")[4], plan))
        iam.put_role_policy(RoleName=plan.role, PolicyName=RIGHTS, PolicyDocument=document)
    return arn


_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def _rights(region: str, account_id: str, plan: Plan) -> dict[str, Any]:
    """Return what the role may do; the right to read stands here too, lest a new policy of the queue lock it out."""
    owner = policies.Account(account_id, region)
    log = owner.log_streams(plan.log_group)
    logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": log}
    document = policies.autoscaler(owner.queue(name_of(plan.queue_url)))
    return {**document, "Statement": [logs, *document["Statement"]]}


def make_log_group(account: Account, plan: Plan) -> None:
    """Make the log group, which forgets after a month."""
    logs = account.client("logs")
    with aws.explained(f"cannot make the log group {plan.log_group}"):
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=plan.log_group)
        logs.put_retention_policy(logGroupName=plan.log_group, retentionInDays=LOG_DAYS)


def allow_reading(account: Account, plan: Plan, role_arn: str) -> None:
    """Let the role read the queue's depth, by a statement of the queue's own policy beside those of others."""
    statement = {
        "Sid": plan.statement,
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": policies.QUEUE_CALLS[policies.Role.AUTOSCALER][0],
        "Resource": _attribute(account, plan, "QueueArn"),
    }
    policy = _queue_policy(account, plan)
    others = [each for each in policy["Statement"] if each.get("Sid") != plan.statement]
    if statement not in policy["Statement"]:
        settled(lambda: _set_policy(account, plan, {**policy, "Statement": [*others, statement]}))


def disallow_reading(account: Account, plan: Plan) -> None:
    """Take the statement out of the queue's policy again; it went with the queue where that is gone."""
    try:
        policy = _queue_policy(account, plan)
    except NotFound:
        return
    others = [each for each in policy["Statement"] if each.get("Sid") != plan.statement]
    if others != policy["Statement"]:
        _set_policy(account, plan, {**policy, "Statement": others} if others else None)


def _queue_policy(account: Account, plan: Plan) -> dict[str, Any]:
    found = _attribute(account, plan, "Policy")
    return json.loads(found) if found else {"Version": "2012-10-17", "Statement": []}


def _attribute(account: Account, plan: Plan, name: str) -> str:
    with aws.explained(f"cannot read {name} of {plan.queue_url}"):
        found = account.client("sqs").get_queue_attributes(QueueUrl=plan.queue_url, AttributeNames=[name])
    return str(found.get("Attributes", {}).get(name, ""))


def _set_policy(account: Account, plan: Plan, policy: Mapping[str, Any] | None) -> None:
    text = json.dumps(policy) if policy else ""
    with aws.explained(f"cannot change the policy of {plan.queue_url}"):
        account.client("sqs").set_queue_attributes(QueueUrl=plan.queue_url, Attributes={"Policy": text})


def settled(call: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Make a call that names a role which may be too new to be known; try for half a minute."""
    waited_s, pause_s = 0.0, 1.0
    while True:
        try:
            return call()
        except (BadInput, Conflict) as error:
            if waited_s >= _SETTLE_S or not _may_be_too_new(error):
                raise
        sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, min(5.0, 2 * pause_s)


_NOT_KNOWN_YET = ("cannot be assumed", "nvalid principal", "nvalid value for the parameter Policy")


def _may_be_too_new(error: LrtError) -> bool:
    return any(words in str(error) for words in _NOT_KNOWN_YET)
