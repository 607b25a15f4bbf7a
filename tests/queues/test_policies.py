"""The policies, evaluated cell by cell: principal, action, resource, transport."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, evaluate_resource_policy, parse_policy_document
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from lrtkit.queues import policies
from lrtkit.queues.policies import Account, Role
from lrtkit.wire import aws
from lrtkit.wire.errors import Denied

ACCOUNT = Account("123456789012", "eu-west-1")
USERS = {role: ACCOUNT.user(f"job-{role}") for role in Role}
STRANGERS = (ACCOUNT.user("somebody"), "arn:aws:iam::999999999999:user/job-worker", "arn:aws:iam::999999999999:root")
QUEUE, DEAD, OTHER = map(ACCOUNT.queue, ("jobs.fifo", "dead.fifo", "other.fifo"))
BUCKET = ACCOUNT.bucket("lrt")

ON_QUEUE = {
    Role.SUBMITTER: "SendMessage GetQueueAttributes",
    Role.WORKER: "ReceiveMessage DeleteMessage ChangeMessageVisibility SendMessage",
    Role.READER: "SendMessage GetQueueAttributes",
    Role.AUTOSCALER: "GetQueueAttributes",
}
ON_DEAD_LETTERS = {
    Role.SUBMITTER: "GetQueueAttributes",
    Role.WORKER: "SendMessage",
    Role.READER: "ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes",
    Role.AUTOSCALER: "",
}
OBJECTS = {
    "argon/1/checkpoint.json": "record",
    "argon/1/result.txt": "result",
    "argon/1/files/0123": "file",
    "argon/1/artifacts/2/model.pt": "artifact",
    "argon/_submissions/2026.jsonl": "submission",
    "_autoscaler/jobs.fifo/2026.json": "reading",
    "_depth/jobs.fifo/2026.jsonl": "depth",
    "_lrt/probe": "probe",
    "private.txt": "other",
    "checkpoint.json": "other",
}
SEEN = "record result artifact submission reading depth probe"
ON_OBJECTS = {
    Role.SUBMITTER: {"GetObject": SEEN, "PutObject": "record submission depth"},
    Role.WORKER: {
        "GetObject": "record result file submission probe",
        "PutObject": "record result file artifact",
        "DeleteObject": "file",
        "AbortMultipartUpload": "file artifact",
    },
    Role.READER: {"GetObject": SEEN, "PutObject": "record depth"},
    Role.AUTOSCALER: {"GetObject": "record reading", "PutObject": "reading"},
}
S3_ACTIONS = (
    *("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "GetObjectVersion", "DeleteObjectVersion"),
    *("PutObjectAcl", "BypassGovernanceRetention", "RestoreObject", "GetObjectAcl", "ListMultipartUploadParts"),
)
BUCKET_ACTIONS = (
    *("ListBucket", "ListBucketVersions", "DeleteBucket", "PutBucketPolicy", "GetBucketPolicy", "PutBucketAcl"),
    *("PutLifecycleConfiguration", "GetLifecycleConfiguration", "DeleteBucketPolicy", "PutEncryptionConfiguration"),
)


def sqs_actions() -> list[str]:
    """Every call of SQS that IAM knows: a batch counts as its single call."""
    names = boto3.session.Session().client("sqs", region_name="us-east-1").meta.service_model.operation_names
    return sorted({f"sqs:{name.removesuffix('Batch')}" for name in names})


def context(user: str, action: str, arn: str, *, tls: bool = True, **keys: str) -> EvalContext:
    return EvalContext(
        principal_arn=user,
        principal_type="User",
        principal_account=user.split(":")[4],
        action=action,
        resource_arn=arn,
        region=ACCOUNT.region,
        secure_transport=tls,
        service_context={name.replace("_", ":"): value for name, value in keys.items()},
    )


def allowed(
    document: Any, cells: Iterable[tuple[str, str, str]], *, tls: bool = True
) -> Iterator[tuple[str, str, str]]:
    for user, action, arn in cells:
        if evaluate_resource_policy(document, context(user, action, arn, tls=tls)).decision == "Allow":
            yield user, action, arn


@pytest.mark.parametrize(
    ("document", "arn", "wanted"),
    [
        (policies.queue(QUEUE, USERS), QUEUE, ON_QUEUE),
        (policies.dead_letter_queue(DEAD, USERS), DEAD, ON_DEAD_LETTERS),
    ],
    ids=["queue", "dead-letter queue"],
)
def test_queue_policies_allow_exactly_their_cells(document: Any, arn: str, wanted: dict[Role, str]) -> None:
    """Of every user, stranger, call and queue, the wanted cells are allowed, and none of them without TLS."""
    cells = list(itertools.product((*USERS.values(), *STRANGERS), sqs_actions(), (QUEUE, DEAD, OTHER)))
    assert len(cells) == 7 * len(sqs_actions()) * 3
    expected = {(USERS[role], f"sqs:{call}", arn) for role, calls in wanted.items() for call in calls.split()}
    assert set(allowed(document, cells)) == expected
    assert set(allowed(document, cells, tls=False)) == set()


def test_the_bucket_policy_allows_exactly_its_cells() -> None:
    """Of every user, stranger, call and kind of object, the wanted cells are allowed, and none of them without TLS."""
    document = policies.bucket(BUCKET, USERS)
    actions = [f"s3:{name}" for name in S3_ACTIONS]
    arns = [f"{bucket}/{key}" for bucket in (BUCKET, ACCOUNT.bucket("lrt-other")) for key in OBJECTS]
    cells = list(itertools.product((*USERS.values(), *STRANGERS), actions, arns))
    expected = {
        (USERS[role], f"s3:{call}", f"{BUCKET}/{key}")
        for role, calls in ON_OBJECTS.items()
        for call, kinds in calls.items()
        for key, kind in OBJECTS.items()
        if kind in kinds.split()
    }
    assert set(allowed(document, cells)) == expected
    assert set(allowed(document, cells, tls=False)) == set()


def test_the_bucket_policy_lets_nobody_configure_the_bucket() -> None:
    """Of the calls on the bucket itself the roles may only list it."""
    document = policies.bucket(BUCKET, USERS)
    cells = itertools.product((*USERS.values(), *STRANGERS), (f"s3:{name}" for name in BUCKET_ACTIONS), (BUCKET,))
    listing = {(user, "s3:ListBucket", BUCKET) for user in USERS.values()}
    assert set(allowed(document, cells)) == listing


def test_the_lambda_role_counts_messages_and_nothing_else() -> None:
    """The autoscaler's identity policy allows one call on one queue."""
    plain = [parse_policy_document(json.dumps(policies.autoscaler(QUEUE)))]
    cells = list(itertools.product(sqs_actions(), (QUEUE, DEAD, OTHER)))
    user = USERS[Role.AUTOSCALER]
    found = {(action, arn) for action, arn in cells if evaluate(context(user, action, arn), plain).decision == "Allow"}
    assert found == {("sqs:GetQueueAttributes", QUEUE)}


@set_initial_no_auth_action_count(4)
@mock_aws
def test_moto_agrees_about_the_lambda_role(tmp_path: Path) -> None:
    """A second opinion: under moto's enforcement, which knows identity policies only, a count passes and a send not."""
    iam = boto3.client("iam", region_name=ACCOUNT.region, aws_access_key_id="a", aws_secret_access_key="b")
    iam.create_user(UserName="autoscaler")
    document = json.dumps(policies.autoscaler(QUEUE))
    iam.put_user_policy(UserName="autoscaler", PolicyName="counts", PolicyDocument=document)
    key = iam.create_access_key(UserName="autoscaler")["AccessKey"]
    names = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    sqs = boto3.client("sqs", region_name=ACCOUNT.region, **names)
    boto3.client("sqs", region_name=ACCOUNT.region, aws_access_key_id="a", aws_secret_access_key="b").create_queue(
        QueueName="jobs.fifo", Attributes={"FifoQueue": "true"}
    )
    url = f"https://sqs.{ACCOUNT.region}.amazonaws.com/{ACCOUNT.id}/jobs.fifo"
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    with pytest.raises(Denied, match="not authorized"), aws.explained("send"):
        sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="x", MessageDeduplicationId="x")


DOCUMENTS = {
    "queue": policies.queue(QUEUE, USERS),
    "dead-letters": policies.dead_letter_queue(DEAD, USERS),
    "bucket": policies.bucket(BUCKET, USERS),
    "autoscaler": policies.autoscaler(QUEUE),
    "admin": policies.admin([QUEUE, DEAD], USERS.values(), BUCKET),
}


def lint(folder: Path, documents: dict[str, Any]) -> str:
    """Return what parliament says, which knows IAM's actions, resources and conditions."""
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    code = "import sys; from parliament.cli import main; main(['parliament', *sys.argv[1:]])"
    command = [sys.executable, "-W", "ignore", "-c", code, "--directory", str(folder), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.stdout


def test_the_linter_finds_nothing(tmp_path: Path) -> None:
    """parliament has nothing to say about any role's document, and much about one that is wrong."""
    assert lint(tmp_path, {name: document for name, document in DOCUMENTS.items() if name != "admin"}) == ""
    wrong = {"Effect": "Allow", "Action": ["sqs:SendMessageBatch", "s3:GetObject"], "Resource": QUEUE}
    said = lint(tmp_path, {"wrong": {"Version": "2012-10-17", "Statement": [wrong]}})
    assert "UNKNOWN_ACTION" in said


def test_the_linter_knows_an_administrator(tmp_path: Path) -> None:
    """Of whoever writes the policies it says, rightly, that they could write themselves into one; and no more."""
    said = [json.loads(line)["issue"] for line in lint(tmp_path, {"admin": DOCUMENTS["admin"]}).splitlines()]
    assert set(said) == {"RESOURCE_POLICY_PRIVILEGE_ESCALATION"}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_no_allowance_has_a_wildcard(document: dict[str, Any]) -> None:
    """Actions and principals are named one by one; only the keys of objects have stars, below a bucket of that name."""
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            actions, resources = (_listed(statement[name]) for name in ("Action", "Resource"))
            assert not [action for action in actions if "*" in action]
            assert not [arn for arn in resources if "*" in arn and not arn.startswith(f"{BUCKET}/")]
            assert "*" not in json.dumps(statement.get("Principal", ""))


@pytest.mark.parametrize("name", ["queue", "dead-letters"])
def test_queue_policies_keep_within_the_limits_of_sqs(name: str) -> None:
    """SQS takes at most 7 actions a statement, 20 statements, and sids of letters and digits."""
    statements = DOCUMENTS[name]["Statement"]
    assert len(statements) <= 20
    assert all(len(_listed(each["Action"])) <= 7 and each["Sid"].isalnum() for each in statements)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("ap-southeast-2", "aws")],
)
def test_arns_are_of_the_regions_partition(region: str, partition: str) -> None:
    """China and the American government have AWS apart."""
    account = Account("1", region)
    assert account.queue("q") == f"arn:{partition}:sqs:{region}:1:q"
    assert account.log_streams("g") == f"arn:{partition}:logs:{region}:1:log-group:g:*"
    assert account.domain.endswith(".cn") is (partition == "aws-cn")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
