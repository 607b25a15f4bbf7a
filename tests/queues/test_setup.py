"""A set-up from its plan to its teardown, on a cloud that enforces policies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lrtkit import connect
from lrtkit.function.account import Account as FunctionAccount
from lrtkit.function.plan import Plan as FunctionPlan
from lrtkit.function.rights import allow_reading
from lrtkit.queues import Admin, Role, Setup
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, Denied
from lrtkit.wire.settings import read_env_file
from tests.queues.conftest import REGION, ROOT, Clock, admin_file
from tests.queues.recorder import Recorder


def attributes(setup: Setup, name: str) -> dict[str, str]:
    url = setup.admin.queues.get_queue_url(QueueName=name)["QueueUrl"]
    return dict(setup.admin.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


class Slow:
    """A client of SQS whose service takes its time: a deleted name, and users that it does not know yet."""

    def __init__(self, client: Any, clock: Clock, *, name_s: float = 0, users_s: float = 0) -> None:
        self._client, self._clock, self._name_s, self._users_s = client, clock, name_s, users_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_queue(self, **wish: Any) -> Any:
        """Create a queue once its name is free."""
        if self._clock.waited_s < self._name_s:
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.QueueDeletedRecently"}}, "CreateQueue")
        return self._client.create_queue(**wish)

    def set_queue_attributes(self, **wish: Any) -> Any:
        """Set attributes once the users in them are known."""
        if "Policy" in wish["Attributes"] and self._clock.waited_s < self._users_s:
            error = {"Code": "InvalidAttributeValue", "Message": "Invalid value for the parameter Policy."}
            raise ClientError({"Error": error}, "SetQueueAttributes")
        return self._client.set_queue_attributes(**wish)


def slow(setup: Setup, clock: Clock, **delays: float) -> Setup:
    return replace(setup, admin=replace(setup.admin, queues=Slow(setup.admin.queues, clock, **delays)))


def test_a_plan_tells_all_and_changes_nothing(setup: Setup) -> None:
    """Before anything is there the plan has a part for each user, queue, bucket and env file, all to be created."""
    plan = setup.plan()
    assert [step.kind for step in plan.steps] == [
        *["user"] * 4,
        *("dead-letter queue", "queue", "bucket"),
        *["env file"] * 4,
    ]
    assert {step.action for step in plan.steps} == {"create"}
    assert not plan.is_settled
    assert setup.plan() == plan
    assert not Path(setup.folder).exists()


def test_apply_makes_everything_and_a_second_time_nothing(setup: Setup, gate: Recorder) -> None:
    """What was applied is as planned; the second time only reads."""
    assert {part.outcome for part in setup.apply().parts} == {"created"}
    assert setup.plan().is_settled
    with gate.during() as calls:
        assert setup.apply().is_nothing
    writes = ("Create", "Put", "Set", "Tag", "Delete", "Update")
    assert not [call.action for call in calls if call.action.partition(":")[2].startswith(writes)]


def test_every_role_gets_a_file_that_connects(setup: Setup) -> None:
    """The env files are for their owner alone, name the same queues and bucket, and hold a key each."""
    setup.apply()
    keys = set()
    for role in Role:
        path = setup.env_file(role)
        assert path.stat().st_mode & 0o777 == 0o600
        cloud = connect(path)
        assert (cloud.queue.name, cloud.store.bucket) == (setup.queue, setup.bucket)
        keys.add(cloud.settings.queue.access.key_id)
    assert len(keys) == 4
    assert Path(setup.folder).stat().st_mode & 0o777 == 0o700


def test_queues_are_tagged_and_redrive_into_each_other_alone(setup: Setup) -> None:
    """The guide's settings are there, with tags, encryption and both redrive policies."""
    setup.apply()
    queue, dead = attributes(setup, setup.queue), attributes(setup, setup.dead_letter_queue)
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]
    assert json.loads(dead["RedriveAllowPolicy"])["sourceQueueArns"] == [queue["QueueArn"]]
    assert queue["SqsManagedSseEnabled"] == dead["SqsManagedSseEnabled"] == "true"
    url = setup.admin.queues.get_queue_url(QueueName=setup.queue)["QueueUrl"]
    assert setup.admin.queues.list_queue_tags(QueueUrl=url)["Tags"] == {"managed-by": "lrtkit", "queue": setup.queue}


def test_high_throughput_is_asked_for(setup: Setup) -> None:
    """With it SQS counts its limits by group, and that is all that becomes another."""
    setup.apply()
    (change,) = [step for step in replace(setup, high_throughput=True).plan().steps if step.kind == "queue"]
    assert change.changes == {
        "DeduplicationScope": ("queue", "messageGroup"),
        "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    }


def test_drift_is_shown_and_mended(setup: Setup) -> None:
    """What somebody changed by hand is in the plan with its old and new value, and apply changes it back."""
    setup.apply()
    url = setup.admin.queues.get_queue_url(QueueName=setup.queue)["QueueUrl"]
    setup.admin.queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30", "Policy": ""})
    plan = setup.plan()
    assert ("change", "queue", setup.queue, "VisibilityTimeout", "30", "120") in plan.rows
    assert "VisibilityTimeout 30 → 120" in repr(plan)
    assert "VisibilityTimeout" in plan._repr_html_()
    assert plan.frame.query("action == 'change'")["attribute"].tolist() == ["VisibilityTimeout", "Policy"]
    assert [str(part.outcome) for part in setup.apply().parts].count("changed") == 1
    assert setup.plan().is_settled


def test_a_deployed_function_is_no_drift(setup: Setup, gate: Recorder) -> None:
    """What a Lambda autoscaler adds to the queue's policy is left; another account, or more, is drift."""
    setup.apply()
    session = boto3.session.Session(ROOT.key_id, ROOT.secret)
    account = FunctionAccount(session, REGION, gate.url)
    url = setup.admin.queues.get_queue_url(QueueName=setup.queue)["QueueUrl"]
    plan = FunctionPlan("lrtkit-workers", url)
    own = f"arn:aws:iam::{setup.admin.account.id}:role/{plan.role}"
    session.client("iam", REGION, endpoint_url=gate.url).create_role(RoleName=plan.role, AssumeRolePolicyDocument="{}")
    allow_reading(account, plan, own)
    assert setup.plan().is_settled
    setup.admin.queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    found = json.loads(attributes(setup, setup.queue)["Policy"])
    guest = found["Statement"][-1]
    assert guest["Principal"] == {"AWS": own}
    other = own.replace(":000000000000:", ":999999999999:")
    strangers: list[dict[str, object]] = [{"Principal": {"AWS": other}}, {"Action": "sqs:*"}]
    more = [{**guest, **change, "Sid": f"More{number}"} for number, change in enumerate(strangers)]
    policy = json.dumps({**found, "Statement": [*found["Statement"], *more]})
    setup.admin.queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert [row[3] for row in setup.plan().rows if row[0] == "change"] == ["VisibilityTimeout", "Policy"]
    setup.apply()
    assert json.loads(attributes(setup, setup.queue)["Policy"]) == found


def test_lifecycle_rules_of_others_stay(setup: Setup) -> None:
    """A bucket that has rules already gets one more, and one that ends uploads sooner is left as it is."""
    setup.apply()
    client = setup.admin.buckets
    whole = {"Status": "Enabled", "Filter": {"Prefix": ""}}
    other = {"ID": "other", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}
    slow = {"ID": "slow", **whole, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 30}}
    client.put_bucket_lifecycle_configuration(Bucket=setup.bucket, LifecycleConfiguration={"Rules": [other, slow]})
    assert ("change", "bucket", setup.bucket, "abandoned uploads end after", "30 days", "7 days") in setup.plan().rows
    setup.apply()
    rules = client.get_bucket_lifecycle_configuration(Bucket=setup.bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == ["other", "slow", "abandoned-uploads"]
    sooner = {"ID": "sooner", **whole, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    client.put_bucket_lifecycle_configuration(Bucket=setup.bucket, LifecycleConfiguration={"Rules": [sooner]})
    assert setup.plan().is_settled


def test_a_moved_bucket_is_written_into_the_files_and_keys_stay(setup: Setup) -> None:
    """A changed setting goes into the env files; keys, and what was written there by hand, stay as they are."""
    setup.apply()
    path = setup.env_file("autoscaler")
    path.write_text(path.read_text().replace(f"={setup.bucket}", "=elsewhere") + "salad_org=mine\n")
    before = read_env_file(path)
    assert ("change", "env file", str(path), "R2_BUCKET_NAME", "elsewhere", setup.bucket) in setup.plan().rows
    setup.apply()
    after = read_env_file(path)
    assert (after["R2_BUCKET_NAME"], after["salad_org"]) == (setup.bucket, "mine")
    assert after["SQS_AWS_SECRET_ACCESS_KEY"] == before["SQS_AWS_SECRET_ACCESS_KEY"]


def test_a_name_that_was_deleted_just_now_is_waited_for(setup: Setup, clock: Clock) -> None:
    """SQS keeps a deleted name for 60 s; that is told on the screen, and waited out."""
    slow(setup, clock, name_s=60).apply()
    assert 60 <= clock.waited_s <= 120
    assert f"{setup.dead_letter_queue} was deleted a moment ago" in clock.waits[0][1]


def test_users_that_aws_does_not_know_yet_are_waited_for(setup: Setup, clock: Clock) -> None:
    """A policy that names a user of just now is refused at first; it is set once AWS knows the user."""
    slow(setup, clock, users_s=10).apply()
    assert "AWS does not know the new users everywhere yet" in {why for _, why in clock.waits}
    assert setup.plan().is_settled


def test_rights_that_have_not_spread_yet_are_waited_for(setup: Setup, gate: Recorder, clock: Clock) -> None:
    """After a change apply waits until each role is let in, and tells so; what never is, the doctor tells."""
    gate.fail("sqs:ReceiveMessage", 1, 403)
    setup.apply()
    assert clock.waits == [(5.0, "SQS does not know the new policies everywhere yet")]


def test_a_policy_that_is_never_taken_is_told(setup: Setup, clock: Clock) -> None:
    """What does not pass in a minute and a half is an error, with what AWS said."""
    with pytest.raises(BadInput, match="Invalid value for the parameter Policy"):
        slow(setup, clock, users_s=9_999).apply()
    assert 90 <= clock.waited_s < 120


def test_somebody_elses_user_is_left_alone(setup: Setup, gate: Recorder) -> None:
    """A user of that name whom the kit did not make for this queue is refused, and nothing is made or removed."""
    iam = aws.client("iam", ROOT, endpoint_url=gate.url, region=REGION)
    name = setup.users[Role.WORKER]
    iam.create_user(UserName=name)
    before = len(gate.calls)
    for act in (setup.plan, setup.apply, lambda: setup.teardown(setup.queue)):
        with pytest.raises(BadInput, match=rf"there is a user {name} already .* Try: other names"):
            act()
    iam.delete_user(UserName=name)
    assert not [call for call in gate.calls[before:-1] if "Get" not in call.action]


def test_a_name_without_fifo_is_refused(setup: Setup) -> None:
    """A queue that is not FIFO is refused before anything is made."""
    with pytest.raises(BadInput, match=r"Try: jobs\.fifo$"):
        replace(setup, queue="jobs").apply()


def test_teardown_asks_for_the_name(setup: Setup) -> None:
    """Another name than the queue's removes nothing."""
    setup.apply()
    with pytest.raises(BadInput, match=r"not of 'other\.fifo', and nothing was removed"):
        setup.teardown("other.fifo")
    assert setup.plan().is_settled


@pytest.mark.parametrize("what", ["messages", "objects"])
def test_teardown_keeps_what_is_not_empty(setup: Setup, what: str) -> None:
    """A queue with messages or a bucket with objects stays, and all else with it, until it is let go by word."""
    setup.apply()
    if what == "messages":
        submitter = connect(setup.env_file("submitter")).queue
        submitter._calls.send_message(
            QueueUrl=submitter.url, MessageBody="x", MessageGroupId="x", MessageDeduplicationId="x"
        )
    else:
        connect(setup.env_file("worker")).store.put("argon/1/checkpoint.json", b"{}")
    with pytest.raises(BadInput, match=r"holds .*, and nothing was removed\. Try: with_contents=True"):
        setup.teardown(setup.queue)
    assert setup.plan().is_settled
    setup.teardown(setup.queue, with_contents=True)


def test_teardown_leaves_nothing_behind(setup: Setup, gate: Recorder) -> None:
    """Users, keys, queues, bucket and env files are gone; a second time there is nothing to remove."""
    setup.apply()
    removed = setup.teardown(setup.queue)
    assert {str(part.outcome) for part in removed.parts} == {"removed"}
    assert len(removed.parts) == 11
    assert list(Path(setup.folder).iterdir()) == []
    root = Admin.from_env_file(admin_file(Path(setup.folder), gate.url, ROOT))
    users = {user["UserName"] for user in root.users.list_users()["Users"]}
    assert users.isdisjoint(setup.users.values())
    assert not root.queues.list_queues(QueueNamePrefix=setup.queue[:-5]).get("QueueUrls")
    assert setup.bucket not in {bucket["Name"] for bucket in root.buckets.list_buckets()["Buckets"]}
    assert repr(setup.teardown(setup.queue)) == ""


def test_what_is_shown_of_an_administrator_has_no_key(setup: Setup) -> None:
    """A set-up and its doors can be shown in a notebook."""
    setup.apply()
    shown = repr(setup) + repr(setup.admin) + repr(setup.rights) + setup.rights._repr_html_()
    secrets = [read_env_file(setup.env_file(role))["SQS_AWS_SECRET_ACCESS_KEY"] for role in Role]
    assert not [secret for secret in secrets if secret in shown]


def test_a_role_is_refused_what_is_the_administrators(setup: Setup) -> None:
    """The worker's key cannot change a queue, make a key or read the bucket's configuration."""
    setup.apply()
    path = setup.env_file("worker")
    doors = Admin.from_env_file(path)
    with pytest.raises(Denied):
        replace(setup, admin=doors).apply()


def test_a_profile_is_whose_account_aws_says(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile's keys are used as `aws configure` wrote them; AWS tells the account, or what stands in for it."""
    credentials = tmp_path / "credentials"
    credentials.write_text("[mine]\naws_access_key_id = test\naws_secret_access_key = a-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    admin = Admin.from_profile("mine", region="eu-west-1")
    assert (admin.account.id, admin.bucket_url, admin.endpoint_url) == ("000000000000", server, server)
    assert "a-secret" not in repr(admin)


def test_a_profile_without_keys_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is not there is a sentence with what to type."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(BadInput, match="Try: aws configure --profile nobody"):
        Admin.from_profile("nobody", region=REGION)
    with pytest.raises(BadInput, match=r"has no keys\. Try: aws configure"):
        Admin.from_profile(region=REGION)
