"""Each part of a deployed function: what is to be, made or mended so that doing it again changes nothing."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lrtkit.autoscaler.settings import cloud_settings, group_name
from lrtkit.function.account import Account
from lrtkit.function.bundle import HANDLER
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, Conflict, LrtError, NotFound

T = TypeVar("T")

RUNTIME, ARCHITECTURE, TIMEOUT_S, MEMORY_MB = "python3.13", "arm64", 10, 256
LOG_DAYS = 30
LONGEST_NAME = 59  # a role is called the same and something more, for which AWS takes 64
_SETTLE_S = 30.0
"""A role is known everywhere only some seconds after it was made."""


@dataclass(frozen=True)
class Plan:
    """The names of one deployed function, and how often it steps; there is one for a container group."""

    name: str
    queue_url: str
    every_minutes: int = 5

    @classmethod
    def of(cls, env: Mapping[str, str], every_minutes: int = 5) -> Plan:
        """Return the plan for the group of an autoscaler's environment."""
        return cls(f"lrtkit-{group_name(env)}"[:LONGEST_NAME], cloud_settings(env).queue.url, every_minutes)

    @property
    def role(self) -> str:
        """The role that the function runs as."""
        return f"{self.name}-role"

    @property
    def log_group(self) -> str:
        """Where Lambda writes what the function says."""
        return f"/aws/lambda/{self.name}"

    @property
    def statement(self) -> str:
        """What the queue's policy calls its statement for the function."""
        return "".join(part.title() for part in self.name.replace("_", "-").split("-"))

    @property
    def alarm(self) -> str:
        """The alarm on errors."""
        return f"{self.name}-errors"


def make_role(account: Account, plan: Plan) -> str:
    """Make the role that only Lambda may take on, and that may do no more than write its log; return its ARN."""
    iam = account.client("iam")
    with aws.explained(f"cannot make the role {plan.role}"):
        try:
            iam.create_role(RoleName=plan.role, AssumeRolePolicyDocument=json.dumps(_TRUST), Description="lrtkit")
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=plan.role, PolicyDocument=json.dumps(_TRUST))
        arn = str(iam.get_role(RoleName=plan.role)["Role"]["Arn"])
        document = json.dumps(_logging(account.region, arn.split(":")[4], plan))
        iam.put_role_policy(RoleName=plan.role, PolicyName="log", PolicyDocument=document)
    return arn


_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def _logging(region: str, account_id: str, plan: Plan) -> dict[str, Any]:
    log = f"arn:aws:logs:{region}:{account_id}:log-group:{plan.log_group}:*"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": log}]}


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
        "Action": "sqs:GetQueueAttributes",
        "Resource": _attribute(account, plan, "QueueArn"),
    }
    policy = _queue_policy(account, plan)
    others = [each for each in policy["Statement"] if each.get("Sid") != plan.statement]
    if statement not in policy["Statement"]:
        settled(lambda: _set_policy(account, plan, {**policy, "Statement": [*others, statement]}))


def disallow_reading(account: Account, plan: Plan) -> None:
    """Take the statement out of the queue's policy again."""
    policy = _queue_policy(account, plan)
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


def make_function(account: Account, plan: Plan, *, code: bytes, settings: Mapping[str, Any]) -> str:
    """Make the function, or bring code and settings up to date where they differ; return its ARN."""
    client = account.client("lambda")
    with aws.explained(f"cannot look for the function {plan.name}"):
        try:
            found = client.get_function(FunctionName=plan.name)["Configuration"]
        except client.exceptions.ResourceNotFoundException:
            found = None
    if found is None:
        return settled(lambda: _create(client, plan, code, settings))
    with aws.explained(f"cannot update the function {plan.name}"):
        if found["CodeSha256"] != base64.b64encode(hashlib.sha256(code).digest()).decode():
            client.update_function_code(FunctionName=plan.name, ZipFile=code)
            client.get_waiter("function_updated_v2").wait(FunctionName=plan.name)
        if any(found.get(name) != value for name, value in settings.items()):
            client.update_function_configuration(FunctionName=plan.name, **settings)
            client.get_waiter("function_updated_v2").wait(FunctionName=plan.name)
    return str(found["FunctionArn"])


def _create(client: Any, plan: Plan, code: bytes, settings: Mapping[str, Any]) -> str:
    with aws.explained(f"cannot make the function {plan.name}"):
        made = client.create_function(
            FunctionName=plan.name, Code={"ZipFile": code}, Architectures=[ARCHITECTURE], **settings
        )
        client.get_waiter("function_active_v2").wait(FunctionName=plan.name)
    return str(made["FunctionArn"])


def settings_of(role_arn: str, env: Mapping[str, str], kms_key_arn: str | None) -> dict[str, Any]:
    """Return the function's settings in Lambda's own words."""
    return {
        "Runtime": RUNTIME,
        "Role": role_arn,
        "Handler": HANDLER,
        "Description": "lrtkit: sets the replicas of a container group from the depth of a queue",
        "Timeout": TIMEOUT_S,
        "MemorySize": MEMORY_MB,
        "Environment": {"Variables": dict(env)},
    } | ({"KMSKeyArn": kms_key_arn} if kms_key_arn else {})


def run_one_at_a_time(account: Account, plan: Plan) -> str:
    """Reserve one run at a time, and try no failed one again; return a sentence where the account is too small."""
    client = account.client("lambda")
    with aws.explained(f"cannot set how the function {plan.name} is retried"):
        client.put_function_event_invoke_config(
            FunctionName=plan.name, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
        )
    try:
        with aws.explained("one run at a time could not be reserved"):
            client.put_function_concurrency(FunctionName=plan.name, ReservedConcurrentExecutions=1)
    except BadInput as error:  # a new account has ten in all, and must keep them; overlapping runs do no harm
        return str(error)
    return ""


def make_schedule(account: Account, plan: Plan, function_arn: str) -> None:
    """Let EventBridge call the function every so many minutes."""
    events, minutes = account.client("events"), plan.every_minutes
    rate = f"rate({minutes} minute{'' if minutes == 1 else 's'})"
    with aws.explained(f"cannot make the schedule {plan.name}"):
        rule = events.put_rule(Name=plan.name, ScheduleExpression=rate, State="ENABLED")["RuleArn"]
        client = account.client("lambda")
        with contextlib.suppress(client.exceptions.ResourceConflictException):
            client.add_permission(
                FunctionName=plan.name,
                StatementId="schedule",
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=rule,
            )
        events.put_targets(Rule=plan.name, Targets=[{"Id": "function", "Arn": function_arn}])


def make_alarm(account: Account, plan: Plan, topic_arn: str | None) -> None:
    """Raise an alarm when a run fails, which is also how a failed container group is told."""
    with aws.explained(f"cannot make the alarm {plan.alarm}"):
        account.client("cloudwatch").put_metric_alarm(
            AlarmName=plan.alarm,
            AlarmDescription=f"The autoscaler fails, or its container group has failed: see {plan.log_group}",
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": plan.name}],
            Statistic="Sum",
            Period=60 * max(5, plan.every_minutes),
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic_arn] if topic_arn else [],
        )


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


@dataclass(frozen=True)
class Removal:
    """A call that removes something."""

    what: str
    service: str
    call: str
    arguments: Mapping[str, Any]

    def carry_out(self, account: Account) -> None:
        """Make the call; what is not there does not matter."""
        with contextlib.suppress(NotFound), aws.explained(f"cannot remove the {self.what}"):
            getattr(account.client(self.service), self.call)(**self.arguments)
