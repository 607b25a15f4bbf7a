"""What newcomers get wrong: told in a sentence, with nothing done or what was done named, and mended afterwards."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lrtkit.queues import Admin, Role, Setup
from lrtkit.queues.policies import Account
from lrtkit.wire import aws
from lrtkit.wire.errors import BadInput, Conflict, Denied, Unavailable
from lrtkit.wire.settings import Access, read_env_file, write_env_file
from tests.queues.conftest import REGION, ROOT, admin_file, env_of
from tests.queues.recorder import Recorder
from tests.telling import told_with_variables

NOBODY = Admin(Account("123456789012", REGION), "https://bucket.example.com")


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"queue": "jobs"}, r"^jobs must end in a name .*\. Try: jobs\.fifo$"),
        ({"queue": "my jobs.fifo"}, r"^my jobs\.fifo must end .* Try: my-jobs\.fifo$"),
        ({"dead_letter_queue": ""}, r"^a queue must end .* Try: jobs\.fifo$"),
        ({"queue": "a" * 76 + ".fifo"}, rf"Try: {'a' * 75}\.fifo$"),
        ({"queue": "a.fifo", "dead_letter_queue": "a.fifo"}, r"^a\.fifo cannot be its own .* Try: a-dead\.fifo$"),
        ({"bucket": "My_Bucket"}, r"^a bucket cannot be called 'My_Bucket', but by 3 to 63 of .* Try: lrt-jobs$"),
        ({"bucket": "a..b"}, "^a bucket cannot be called 'a..b'"),
        ({"users": {"worker": "job worker"}}, r"^the worker's user cannot be called 'job worker'\. Try: job-worker$"),
        ({"users": {"worker": "me", "reader": "Me"}}, "^worker and reader would both be the user Me"),
        (
            {"users": {"wroker": "me"}},
            r"^there is no role 'wroker'\. Try: one of submitter, worker, reader, autoscaler$",
        ),
    ],
)
def test_a_name_that_cannot_be_is_told_before_anything_is_made(wish: dict[str, Any], why: str) -> None:
    """The set-up itself is refused, with a name that could be, before any service is asked."""
    with pytest.raises(BadInput, match=why):
        Setup(NOBODY, "keys", **wish)


def without(setup: Setup, action: str) -> Setup:
    """Return a set-up by an administrator who lacks one right."""
    document = setup.admin_policy()
    for statement in document["Statement"]:
        statement["Action"] = [each for each in [*statement["Action"], "sqs:ListQueues"] if each != action]
    iam = aws.client("iam", ROOT, endpoint_url=setup.admin.endpoint_url, region=REGION)
    name = f"poor-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="poor", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    access = Access(key["AccessKeyId"], key["SecretAccessKey"])
    url = setup.admin.endpoint_url or ""
    return replace(setup, admin=Admin.from_env_file(admin_file(Path(setup.folder).parent, url, access)))


HALVES = {
    "sqs:CreateQueue": "created user submitter-.*, created user autoscaler-.*; then cannot create the dead-letter qu",
    "iam:CreateAccessKey": "created bucket bucket-.*; then cannot make a key for submitter-",
}


@pytest.mark.parametrize("action", HALVES)
def test_a_right_that_is_missing_half_way(setup: Setup, action: str) -> None:
    """The error names what was done until then and whose keys it takes; with them the same again does the rest."""
    with pytest.raises(
        Denied, match=rf"{HALVES[action]}.*{action}.* Try: an administrator's keys, .* notebook 01 lists$"
    ):
        without(setup, action).apply()
    setup.apply()
    assert setup.plan().is_settled


def test_a_right_that_is_missing_half_way_of_a_teardown(setup: Setup) -> None:
    """A teardown says what is gone already, and goes on from there."""
    setup.apply()
    with pytest.raises(Denied, match=r"^removed bucket bucket-.*, removed env file .*; then cannot delete the user"):
        without(setup, "iam:DeleteUser").teardown(setup.queue)
    assert len(setup.teardown(setup.queue).parts) == 4


def test_a_bucket_of_somebody_else_is_told(setup: Setup, gate: Recorder) -> None:
    """S3 has one set of names for all the world; what it refuses without a word is put into one."""
    gate.fail("s3:ListBucket", 1, 403)
    with pytest.raises(
        Denied, match=r"^there is a bucket bucket-\w+, and it is somebody else's or .* Try: another name"
    ):
        setup.plan()


def test_a_bucket_whose_name_was_taken_meanwhile_is_told(setup: Setup, gate: Recorder) -> None:
    """A name that somebody else takes between plan and apply is told, and what is made already stays."""
    gate.fail("s3:CreateBucket", 1, 409)
    with pytest.raises(Conflict, match=r"created queue .*; then cannot create the bucket .* Try: another name"):
        setup.apply()
    assert [step.kind for step in setup.plan().steps if step.action == "create"] == ["bucket", *["env file"] * 4]


def test_a_bucket_of_another_region_is_told(setup: Setup, gate: Recorder) -> None:
    """A bucket is where it once was made; S3 says so by a status without words."""
    gate.fail("s3:ListBucket", 3, 301)
    with pytest.raises(BadInput, match=r"^the bucket bucket-\w+ is in another region\. Try: another name$"):
        setup.plan()
    gate.forgive()


def test_a_folder_that_is_a_file_is_told(setup: Setup, gate: Recorder, tmp_path: Path) -> None:
    """Where no env file could be written nothing is made, not even a user."""
    (tmp_path / "taken").write_text("")
    with gate.during() as calls, pytest.raises(BadInput, match=r"taken is a file\. Try: another folder$"):
        replace(setup, folder=tmp_path / "taken" / "keys").apply()
    assert calls == []


CHANGES: dict[str, Callable[[Setup], object]] = {
    "rotate": lambda setup: setup.rotate("worker"),
    "retire": lambda setup: setup.retire("worker"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_keys_of_a_user_who_is_not_there_or_not_ours(setup: Setup, gate: Recorder, change: str) -> None:
    """Before an apply, and for a user of somebody else's, no key is made or deleted."""
    with pytest.raises(BadInput, match=r"^there is no user worker-\w+ yet, and nothing was changed\. Try: apply$"):
        CHANGES[change](setup)
    iam = aws.client("iam", ROOT, endpoint_url=gate.url, region=REGION)
    iam.create_user(UserName=setup.users[Role.WORKER])
    with pytest.raises(BadInput, match="that was not made for this queue"):
        CHANGES[change](setup)
    assert iam.list_access_keys(UserName=setup.users[Role.WORKER])["AccessKeyMetadata"] == []
    iam.delete_user(UserName=setup.users[Role.WORKER])


def test_a_role_without_a_user_is_told() -> None:
    """A role that the set-up leaves out, or that there is not, is no KeyError."""
    setup = Setup(NOBODY, "keys", users={Role("reader"): "me"})
    with pytest.raises(BadInput, match=r"^this set-up has no user for worker\. Try: one of reader$"):
        setup.rotate("worker")
    with pytest.raises(BadInput, match=r"^there is no role 'wroker'"):
        setup.retire("wroker")
    with pytest.raises(BadInput, match=r"^there is no role 'wroker'"):
        setup.env_file("wroker")


def test_a_file_that_cannot_be_read_costs_no_key(setup: Setup) -> None:
    """A rotation reads the file before it makes a key, and takes no token along that the old key came with."""
    setup.apply()
    path = setup.env_file("worker")
    path.chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        setup.rotate("worker")
    assert len(setup.admin.users.list_access_keys(UserName=setup.users[Role.WORKER])["AccessKeyMetadata"]) == 1
    path.chmod(0o600)
    write_env_file(path, {**env_of(setup, "worker"), "R2_AWS_SESSION_TOKEN": "of-the-old-key", "MINE": "kept"})
    setup.rotate("worker")
    after = read_env_file(path)
    assert ("R2_AWS_SESSION_TOKEN" in after, after["MINE"]) == (False, "kept")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile whose keys AWS does not know."""
    credentials = tmp_path / "credentials"
    credentials.write_text("[mine]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = a-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    return "mine"


def test_a_profile_whose_keys_are_wrong_is_told(profile: str, gate: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to mend is the profile and no env file, and no variable on the way holds its secret."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
    told = told_with_variables(lambda: Admin.from_profile(profile, region=REGION), Denied)
    assert "is invalid. Try: aws configure --profile mine, or aws sso login --profile mine" in told
    assert "a-secret" not in told


def test_a_region_that_is_nowhere_is_told(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, the region may be mistyped."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"Try: a region such as us-east-1, or look at your network$"):
        Admin.from_profile(profile, region="us-east-11")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(BadInput, match=r"^the region somewhere! is no place for sts: .*\. Try: mend it$"):
        Admin.from_profile(profile, region="somewhere!")
