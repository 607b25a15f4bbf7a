"""The whole of a deployed function: put together, called, taken apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtkit.autoscaler.settings import check, cloud_settings
from lrtkit.function import parts, rights
from lrtkit.function.account import Account
from lrtkit.function.bundle import bundle
from lrtkit.function.parts import Removal
from lrtkit.function.plan import Plan
from lrtkit.scaling import Policy
from lrtkit.scaling.memory import LONGEST_PAUSE_S
from lrtkit.shown import verdict
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, LrtError, NotFound
from lrtkit.wire.settings import read_env_file

_TAKEN = (
    "salad_org", "salad_project", "salad_container_group_name", "salad_api_key", "salad_base_url",
    "R2_S3_ENDPOINT_URL", "R2_BUCKET_NAME", "R2_AWS_ACCESS_KEY_ID", "R2_AWS_SECRET_ACCESS_KEY",
    "SQS_AWS_REGION", "AWS_ENDPOINT_URL_SQS",
)  # fmt: skip
"""What the function is told of the env file; no key of SQS, for which it has its role."""


@dataclass(frozen=True)
class Deployment:
    """What is there now, in words; no key is among them."""

    name: str
    function_arn: str
    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        return verdict(f"Function {self.name}", self.sentences)


def deploy(
    env_file: str | Path,
    *,
    policy: Policy | None = None,
    every_minutes: int = 5,
    profile: str | None = None,
    kms_key_arn: str | None = None,
    alarm_topic_arn: str | None = None,
) -> Deployment:
    """Make the function and all it needs, or bring it up to date; a second time nothing changes.

    ``env_file`` is the autoscaler's, ``policy`` takes the place of its bounds, and ``profile`` names the AWS
    profile of whoever may make roles and functions; ``alarm_topic_arn`` is an SNS topic that is told of alarms.
    Raises BadInput before anything is made where the file lacks something, or where the function is another group's.
    """
    env = read_env_file(env_file)
    variables = _variables(env, policy)
    plan = Plan.of(env, _minutes(every_minutes))
    account = Account.of(env, profile)
    parts.check_owner(account, plan, env)
    role_arn = rights.make_role(account, plan)
    rights.allow_reading(account, plan, role_arn)
    rights.make_log_group(account, plan)
    settings = parts.settings_of(role_arn, variables, kms_key_arn)
    arn = parts.make_function(account, plan, code=bundle(variables.get("time_zone", "UTC")), settings=settings)
    shared = parts.run_one_at_a_time(account, plan)
    parts.make_schedule(account, plan, arn)
    parts.make_alarms(account, plan, alarm_topic_arn)
    return Deployment(plan.name, arn, _sentences(plan, account, kms_key_arn, shared))


def invoke(env_file: str | Path, *, profile: str | None = None) -> dict[str, Any]:
    """Call the function once; return the step that it took, or raise what it failed with."""
    env = read_env_file(env_file)
    plan, account = Plan.of(env), Account.of(env, profile)
    try:
        with aws.explained(f"cannot call the function {plan.name}"):
            answer = account.client("lambda").invoke(FunctionName=plan.name, Payload=b"{}")
    except NotFound as error:
        raise NotFound(f"there is no function {plan.name}. Try: lrtkit.function.deploy(env_file)") from error
    told = json.loads(answer["Payload"].read() or b"null") or {}
    if answer.get("FunctionError"):
        raise LrtError(f"the function failed: {told.get('errorMessage', told)}. Try: its log {plan.log_group}")
    return dict(told)


def undeploy(env_file: str | Path, *, profile: str | None = None) -> None:
    """Remove the function and all that was made with it, as far as it is there. The group is left as it is."""
    env = read_env_file(env_file)
    plan, account = Plan.of(env), Account.of(env, profile)
    parts.check_owner(account, plan, env)
    rights.disallow_reading(account, plan)
    for removal in _removals(plan):
        removal.carry_out(account)


def _removals(plan: Plan) -> list[Removal]:
    """Return what to remove, in the order in which AWS lets it go."""
    role = {"RoleName": plan.role}
    return [
        Removal("alarms", "cloudwatch", "delete_alarms", {"AlarmNames": [plan.alarm, plan.silence]}),
        Removal("target of the schedule", "events", "remove_targets", {"Rule": plan.name, "Ids": ["function"]}),
        Removal(f"schedule {plan.name}", "events", "delete_rule", {"Name": plan.name}),
        Removal(f"function {plan.name}", "lambda", "delete_function", {"FunctionName": plan.name}),
        Removal(f"log {plan.log_group}", "logs", "delete_log_group", {"logGroupName": plan.log_group}),
        Removal("rights of the role", "iam", "delete_role_policy", {**role, "PolicyName": rights.RIGHTS}),
        Removal(f"role {plan.role}", "iam", "delete_role", role),
    ]


def _variables(env: Mapping[str, str], policy: Policy | None) -> dict[str, str]:
    """Return the function's environment, once it is certain that the autoscaler can read it."""
    check(env, policy=policy)
    cloud, chosen = cloud_settings(env), policy or Policy.from_env(env)
    taken = {name: env[name] for name in _TAKEN if env.get(name)}
    return {"queue_url": cloud.queue.url, **taken, **chosen.to_env()}


def _minutes(every: int) -> int:
    most = int(LONGEST_PAUSE_S / 60)
    if every not in range(1, most + 1):
        raise BadInput(f"every_minutes must be a whole number from 1 to {most}, not {every}. Try: 5")
    return every


def _sentences(plan: Plan, account: Account, kms_key_arn: str | None, shared: str) -> tuple[str, ...]:
    key = f"the key {kms_key_arn}" if kms_key_arn else "the account's own key"
    return (
        f"The function {plan.name} steps every {plan.every_minutes} min in {account.region}.",
        f"It reads the depth of {plan.queue_url} by the role {plan.role}, and has no key of AWS.",
        f"SaladCloud's and the bucket's keys are in its environment, encrypted with {key}.",
        f"The alarm {plan.alarm} tells when a run fails; what it says is in {plan.log_group}.",
        f"The alarm {plan.silence} tells when no run comes any more, and until the first one has come.",
        *([f"Two runs may overlap, which does no harm: {shared}."] if shared else []),
    )
