"""The function and all that belongs to it, on moto."""

from __future__ import annotations

import json

import boto3
import pytest

from lrtkit.function import deploy, undeploy
from lrtkit.scaling import Policy
from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import write_env_file
from tests.function.conftest import REGION, SECRETS

NAME = "lrtkit-workers"


def client(service: str):
    return boto3.client(service, region_name=REGION)


def policy_of(queue_url: str) -> dict:
    found = client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["Policy"])
    return json.loads(found.get("Attributes", {}).get("Policy") or '{"Statement": []}')


def everything(queue_url: str) -> dict:
    """All that a deployment makes, without what changes by the clock."""
    functions = client("lambda").list_functions()["Functions"]
    return {
        "functions": [
            {key: each[key] for key in each if key not in {"LastModified", "RevisionId"}} for each in functions
        ],
        "roles": [(each["RoleName"], each["AssumeRolePolicyDocument"]) for each in client("iam").list_roles()["Roles"]],
        "rules": client("events").list_rules()["Rules"],
        "alarms": [each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "logs": [each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]],
        "statements": policy_of(queue_url)["Statement"],
    }


def test_the_function_is_as_the_guide_has_it(env_file, account):
    """Python 3.13 on arm64, ten seconds, one run at a time, no failed run tried again, and the guide's names."""
    deploy(env_file, policy=Policy(1, 9, hours=(22, 6)))
    found = client("lambda").get_function(FunctionName=NAME)
    settings = found["Configuration"]
    assert (settings["Runtime"], settings["Architectures"], settings["Timeout"]) == ("python3.13", ["arm64"], 10)
    assert settings["Handler"] == "lrtkit.autoscaler.handler"
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 1
    assert client("lambda").get_function_event_invoke_config(FunctionName=NAME)["MaximumRetryAttempts"] == 0
    variables = settings["Environment"]["Variables"]
    assert (variables["queue_url"], variables["min_replicas"], variables["max_replicas"]) == (account, "1", "9")
    assert (variables["hours"], variables["salad_org"]) == ("22-6", "acme")
    assert not [name for name in variables if name.startswith(("SQS_AWS_ACCESS", "SQS_AWS_SECRET"))]


def test_its_role_may_write_its_log_and_read_the_queues_depth(env_file, account):
    """Lambda alone takes on the role; the queue's own policy lets it ask for attributes and no more."""
    deploy(env_file)
    role = client("iam").get_role(RoleName=f"{NAME}-role")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    document = client("iam").get_role_policy(RoleName=f"{NAME}-role", PolicyName="rights")["PolicyDocument"]
    log, depth = document["Statement"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert log["Resource"] == f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/lambda/{NAME}:*"
    queue_arn = f"arn:aws:sqs:{REGION}:123456789012:jobs.fifo"
    assert (depth["Action"], depth["Resource"]) == ("sqs:GetQueueAttributes", queue_arn)
    (allowed,) = policy_of(account)["Statement"]
    assert (allowed["Principal"], allowed["Action"]) == ({"AWS": role["Arn"]}, "sqs:GetQueueAttributes")
    assert allowed["Resource"] == queue_arn


def test_it_is_called_on_schedule_and_watched(env_file):
    """EventBridge may call it every so many minutes; alarms go off at the first error, and where no call comes."""
    deploy(env_file, every_minutes=1, alarm_topic_arn=f"arn:aws:sns:{REGION}:123456789012:mail")
    (rule,) = client("events").list_rules()["Rules"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    arn = client("lambda").get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]
    assert client("events").list_targets_by_rule(Rule=NAME)["Targets"] == [{"Id": "function", "Arn": arn}]
    (permission,) = json.loads(client("lambda").get_policy(FunctionName=NAME)["Policy"])["Statement"]
    assert permission["Condition"]["ArnLike"]["AWS:SourceArn"] == rule["Arn"]
    failed, silent = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [describe(failed), describe(silent)] == [
        ("Errors", "GreaterThanOrEqualToThreshold", 1, 1, 300, "notBreaching"),
        ("Invocations", "LessThanThreshold", 1, 3, 300, "breaching"),
    ]
    for alarm in (failed, silent):
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": NAME}]
        assert alarm["AlarmActions"] == [f"arn:aws:sns:{REGION}:123456789012:mail"]


def describe(alarm: dict) -> tuple:
    """What makes an alarm go off."""
    names = ("MetricName", "ComparisonOperator", "Threshold", "EvaluationPeriods", "Period", "TreatMissingData")
    return tuple(alarm[name] for name in names)


@pytest.mark.parametrize("call", [deploy, undeploy])
def test_the_function_of_another_group_is_left_alone(env_file, values, account, call):
    """A group of the same name in another project does not lose its autoscaler to this one, nor by it."""
    deploy(env_file)
    before = everything(account)
    write_env_file(env_file, {**values, "salad_project": "other"})
    told = r"lrtkit-workers is there for acme/demo/workers, not for acme/other/workers\. Try: another name"
    with pytest.raises(BadInput, match=told):
        call(env_file)
    assert everything(account) == before


def test_undeploying_after_the_queue_is_gone_takes_all_else(env_file, account):
    """Whoever deletes the queues first can still take the function away, which would run for ever."""
    deploy(env_file)
    client("sqs").delete_queue(QueueUrl=account)
    undeploy(env_file)
    assert client("lambda").list_functions()["Functions"] == client("events").list_rules()["Rules"] == []
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_deploying_again_changes_only_what_is_different(env_file, account):
    """A second time all is as it was; other settings arrive in place."""
    deploy(env_file)
    before = everything(account)
    deploy(env_file)
    assert everything(account) == before
    deploy(env_file, policy=Policy(0, 3), every_minutes=2)
    after = everything(account)
    assert after["functions"][0]["Environment"]["Variables"]["max_replicas"] == "3"
    assert after["rules"][0]["ScheduleExpression"] == "rate(2 minutes)"
    assert {what: len(parts) for what, parts in after.items()} == {**dict.fromkeys(after, 1), "alarms": 2}


def test_undeploying_leaves_nothing_and_keeps_what_is_others(env_file, account):
    """All parts go, the queue's statements of others stay, and a second time does not matter."""
    others = {"Sid": "Others", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
              "Action": "sqs:SendMessage", "Resource": "*"}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [others]})
    client("sqs").set_queue_attributes(QueueUrl=account, Attributes={"Policy": policy})
    deploy(env_file)
    assert len(policy_of(account)["Statement"]) == 2
    undeploy(env_file)
    undeploy(env_file)
    left = everything(account)
    assert left.pop("statements") == [others]
    assert not any(left.values())


def test_no_key_shows(env_file, capsys):
    """What is told about a deployment has names and places, and says how the keys are kept."""
    told = (
        repr(deploy(env_file)) + repr(deploy(env_file, kms_key_arn="arn:aws:kms:key/1")) + "".join(capsys.readouterr())
    )
    assert not [secret for secret in SECRETS if secret in told]
    assert "encrypted with the account's own key" in told
    assert "encrypted with the key arn:aws:kms:key/1" in told


@pytest.mark.parametrize("lacks", ["salad_api_key", "salad_container_group_name", "R2_BUCKET_NAME", "max_replicas"])
def test_an_incomplete_env_file_makes_nothing(env_file, values, account, lacks):
    """What the function would miss at its first run is missed before anything is made."""
    write_env_file(env_file, {name: value for name, value in values.items() if name != lacks})
    with pytest.raises(BadInput, match=lacks):
        deploy(env_file)
    assert not any(everything(account).values())


@pytest.mark.parametrize("every_minutes", [0, 31, 2.5])
def test_a_schedule_that_could_never_stop_the_group_makes_nothing(env_file, account, every_minutes):
    """Steps that come too seldom never see that a queue stays empty."""
    with pytest.raises(BadInput, match="a whole number from 1 to 30"):
        deploy(env_file, every_minutes=every_minutes)
    assert not any(everything(account).values())


def test_an_unknown_profile_is_told(env_file):
    """A profile that AWS's own files do not have is a sentence."""
    with pytest.raises(BadInput, match="nobody"):
        deploy(env_file, profile="nobody")
