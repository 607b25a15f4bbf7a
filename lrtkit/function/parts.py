"""The function itself, its schedule and its alarm: each is made or mended so that doing it again changes nothing."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrtkit.function.account import Account
from lrtkit.function.bundle import HANDLER
from lrtkit.function.plan import Plan
from lrtkit.function.rights import settled
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, LrtError, NotFound

SILENT_PERIODS = 3
"""A run that comes late leaves one period without any; of three in a row somebody has taken the schedule away."""

PLACE = ("salad_org", "salad_project", "salad_container_group_name")
"""The variables that say which group a function scales."""

RUNTIME, ARCHITECTURE, TIMEOUT_S, MEMORY_MB = "python3.13", "arm64", 10, 256


def make_function(account: Account, plan: Plan, *, code: bytes, settings: Mapping[str, Any]) -> str:
    """Make the function, or bring code and settings up to date where they differ; return its ARN."""
    client, found = account.client("lambda"), _find(account, plan)
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


def check_owner(account: Account, plan: Plan, env: Mapping[str, str]) -> None:
    """Raise BadInput where the function is there already and scales a group of the same name at another place."""
    found = _find(account, plan)
    environment = found.get("Environment", {}) if found else {}
    theirs, mine = (tuple(each.get(name) for name in PLACE) for each in (environment.get("Variables", {}), env))
    # With a key that this caller may not use, Lambda says an error in the variables' place.
    if found and theirs != mine and "Error" not in environment:
        places = ["/".join(filter(None, place)) or "no group" for place in (theirs, mine)]
        raise BadInput(
            f"the function {plan.name} is there for {places[0]}, not for {places[1]}. "
            "Try: another name for this group, or undeploy that function first"
        )


def _find(account: Account, plan: Plan) -> dict[str, Any] | None:
    client = account.client("lambda")
    with aws.explained(f"cannot look for the function {plan.name}"):
        try:
            return dict(client.get_function(FunctionName=plan.name)["Configuration"])
        except client.exceptions.ResourceNotFoundException:
            return None


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
        answer = events.put_targets(Rule=plan.name, Targets=[{"Id": "function", "Arn": function_arn}])
    if refused := answer.get("FailedEntries"):  # EventBridge says so in an answer of success
        raise LrtError(f"the schedule {plan.name} does not take the function: {refused[0].get('ErrorMessage')}")


def make_alarms(account: Account, plan: Plan, topic_arn: str | None) -> None:
    """Raise an alarm when a run fails, which is also how a failed group is told, and one when no run comes at all."""
    period_s = 60 * max(5, plan.every_minutes)
    failed = {
        "AlarmName": plan.alarm,
        "AlarmDescription": f"The autoscaler fails, or its container group has failed: see {plan.log_group}",
        "MetricName": "Errors",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    silent = {
        "AlarmName": plan.silence,
        "AlarmDescription": f"The autoscaler is not called any more: look at the schedule {plan.name}",
        "MetricName": "Invocations",
        "EvaluationPeriods": SILENT_PERIODS,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "breaching",
    }
    shared = {
        "Namespace": "AWS/Lambda",
        "Dimensions": [{"Name": "FunctionName", "Value": plan.name}],
        "Statistic": "Sum",
        "Period": period_s,
        "Threshold": 1,
        "AlarmActions": [topic_arn] if topic_arn else [],
    }
    for alarm in (failed, silent):
        with aws.explained(f"cannot make the alarm {alarm['AlarmName']}"):
            account.client("cloudwatch").put_metric_alarm(**shared, **alarm)


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
