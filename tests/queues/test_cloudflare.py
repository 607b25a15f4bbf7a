"""A set-up whose bucket is on R2, by Cloudflare's API, and temporary keys for a prefix of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lrtkit import connect
from lrtkit.queues import Admin, Cloudflare, Role, Setup
from lrtkit.wire.errors import BadInput, Denied, NotFound, Throttled, Unavailable
from lrtkit.wire.settings import Access, read_env_file, write_env_file
from tests.queues.cloudflare import ACCOUNT, FakeCloudflare
from tests.queues.conftest import ROOT, Clock, admin_file, env_of
from tests.telling import told_with_variables

PARENT = Access("PARENT", "parent-secret")


@pytest.fixture
def fake() -> Iterator[FakeCloudflare]:
    fake = FakeCloudflare()
    yield fake
    fake.close()


@pytest.fixture
def cloudflare(fake: FakeCloudflare, server: str) -> Cloudflare:
    """An account whose R2 is the test's own S3."""
    return Cloudflare(ACCOUNT, fake.token, api=fake.url, url=server)


@pytest.fixture
def on_r2(server: str, cloudflare: Cloudflare, names: dict[str, Any], clock: Clock, tmp_path: Path) -> Iterator[Setup]:
    admin = Admin.from_env_file(admin_file(tmp_path, server, ROOT), cloudflare=cloudflare)
    setup = Setup(admin, tmp_path / "keys", **names, pause=clock)
    yield setup
    setup.teardown(setup.queue, with_contents=True)


def test_each_role_gets_a_token_for_this_bucket_alone(on_r2: Setup, fake: FakeCloudflare) -> None:
    """A token reads and writes objects of one bucket; its id and the hash of its value are the key pair."""
    on_r2.apply()
    assert len(fake.own) == 4
    bucket = f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_{on_r2.bucket}"
    for token in fake.own:
        (policy,) = token["policies"]
        assert (policy["effect"], policy["resources"]) == ("allow", {bucket: "*"})
        assert policy["permission_groups"] == [{"id": "group-write"}]
    env = env_of(on_r2, "worker")
    (token,) = [each for each in fake.own if each["id"] == env["R2_AWS_ACCESS_KEY_ID"]]
    assert token["name"] == f"lrtkit {on_r2.users[Role.WORKER]} {on_r2.bucket}"
    assert env["R2_AWS_SECRET_ACCESS_KEY"] == hashlib.sha256(f"value-of-{token['id']}".encode()).hexdigest()
    assert env["SQS_AWS_ACCESS_KEY_ID"] != env["R2_AWS_ACCESS_KEY_ID"]
    assert on_r2.plan().is_settled
    connect(on_r2.env_file("worker")).store.put("argon/1/result.txt", b"1")


def test_r2_has_no_policy_but_a_lifecycle(on_r2: Setup) -> None:
    """The bucket drops uploads that nobody finished; the table of rights says what R2 can tell apart."""
    on_r2.apply()
    (rule,) = on_r2.admin.buckets.get_bucket_lifecycle_configuration(Bucket=on_r2.bucket)["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert set(on_r2.documents) == {"queue", "dead-letter queue"}
    assert "s3:" not in repr(on_r2.rights)
    assert "read, write, list and delete" in repr(on_r2.rights)
    assert "s3:" not in str(on_r2.admin_policy())


def test_tokens_are_rotated_and_retired_with_the_keys(on_r2: Setup, fake: FakeCloudflare) -> None:
    """Both halves of a file are changed, and both old keys are gone in the end."""
    on_r2.apply()
    before = env_of(on_r2, "worker")
    assert len(on_r2.rotate("worker")) == 2
    assert len(fake.own) == 5
    assert [row[2] for row in on_r2.holders().rows].count("2026-11-01") == 5
    fake.own[0].pop("issued_on")
    assert [row[2] for row in on_r2.holders().rows].count("2026-11-01") == 4
    retired = on_r2.retire("worker")
    assert retired == [before["SQS_AWS_ACCESS_KEY_ID"], before["R2_AWS_ACCESS_KEY_ID"]]
    assert before["R2_AWS_ACCESS_KEY_ID"] not in fake.tokens
    assert len(fake.own) == 4


def test_teardown_deletes_the_tokens(on_r2: Setup, fake: FakeCloudflare) -> None:
    """No token of the set-up is left, and those of others are."""
    on_r2.apply()
    on_r2.teardown(on_r2.queue)
    assert fake.own == []
    assert len(fake.tokens) == 60


def test_a_temporary_key_is_asked_for_as_cloudflare_wants(cloudflare: Cloudflare, fake: FakeCloudflare) -> None:
    """It stems from a parent, is for some prefixes, ends by itself, and has a session token."""
    key = cloudflare.temporary(PARENT, "lrt", ["argon/"], seconds=86_400)
    assert (key.key_id, key.secrets) == ("TEMPORARY", ("temporary-secret", "temporary"))
    assert fake.wishes == [
        {
            "bucket": "lrt",
            "parentAccessKeyId": "PARENT",
            "permission": "object-read-write",
            "prefixes": ["argon/"],
            "ttlSeconds": 86_400,
        }
    ]


@pytest.mark.parametrize(
    ("prefixes", "seconds", "why"),
    [(["argon"], 60, r"Try: 'argon/'"), (["argon/"], 604_801, "1 to 604,800 s"), ([], 0, "not 0")],
)
def test_a_temporary_key_out_of_bounds_is_refused(
    cloudflare: Cloudflare, fake: FakeCloudflare, prefixes: list[str], seconds: int, why: str
) -> None:
    """A prefix that other names begin with, or a time that R2 does not allow, is told before Cloudflare is asked."""
    with pytest.raises(BadInput, match=why):
        cloudflare.temporary(PARENT, "lrt", prefixes, seconds=seconds)
    assert fake.wishes == []


def test_a_worker_file_with_a_temporary_key(on_r2: Setup, fake: FakeCloudflare) -> None:
    """``lend`` writes a copy of the worker's file with a short-lived key for one experiment in place of the token."""
    on_r2.apply()
    path = on_r2.lend("argon", seconds=3_600)
    env, own = read_env_file(path), env_of(on_r2, "worker")
    assert path.name == "worker-argon.env"
    assert (env["R2_AWS_ACCESS_KEY_ID"], env["R2_AWS_SESSION_TOKEN"]) == ("TEMPORARY", "temporary")
    assert env["SQS_AWS_ACCESS_KEY_ID"] == own["SQS_AWS_ACCESS_KEY_ID"]
    assert fake.wishes[0]["parentAccessKeyId"] == own["R2_AWS_ACCESS_KEY_ID"]
    assert fake.wishes[0]["prefixes"] == ["argon/"]
    other = Path(on_r2.folder) / "worker-other.env"
    write_env_file(other, {**env, "SQS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/other.fifo"})
    on_r2.teardown(on_r2.queue)
    assert not path.exists()
    assert other.exists()


def test_a_temporary_key_for_what_is_no_experiment_is_refused(on_r2: Setup) -> None:
    """A name that would lead out of the folder of env files, or of the bucket's prefix, writes nothing."""
    for name in ("../keys", "a/b", ""):
        with pytest.raises(BadInput, match="cannot be called"):
            on_r2.lend(name)


def test_s3_lends_no_keys(setup: Setup) -> None:
    """On S3 there is no such thing, and that is told."""
    with pytest.raises(BadInput, match="only R2 lends temporary keys"):
        setup.lend("argon")


def test_a_token_that_may_not_is_told_what_to_click(fake: FakeCloudflare) -> None:
    """Where Cloudflare refuses, the sentence says where in the console which permissions are given."""
    wrong = Cloudflare(ACCOUNT, "wrong", api=fake.url)
    with pytest.raises(Denied, match=r"Unauthorized to access it.*Account API Tokens: Edit.*Workers R2 Storage: Edit"):
        wrong.access()


REFUSALS = {
    "format": (400, b'{"errors": [{"code": 6003, "message": "Invalid request headers"}]}', Denied, "My Profile"),
    "token": (401, b'{"errors": [{"code": 1000, "message": "Invalid API Token"}]}', Denied, "My Profile"),
    "account": (404, b'{"errors": [{"code": 7003, "message": "Could not route"}]}', NotFound, "mend the account's id"),
    "pace": (429, b'{"errors": []}', Throttled, "again later"),
    "down": (502, b"<html>bad gateway</html>", Unavailable, "again later"),
    "page": (200, b"<html>sign in</html>", Unavailable, "look at your network"),
    "turned off": (200, b'{"result": {"id": "a", "status": "disabled"}}', Denied, "Create Token"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_of_cloudflare_says_what_to_do(cloudflare: Cloudflare, fake: FakeCloudflare, name: str) -> None:
    """A token of another kind, an account that is not there, a service that is down: a sentence without the token."""
    status, body, kind, remedy = REFUSALS[name]
    fake.refusal = (status, body)
    told = told_with_variables(cloudflare.access, kind)
    assert remedy in told
    assert fake.token not in told


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"account": "my-account"}, r"^'my-account' is no id of an account\. Try: the 32 digits"),
        ({"jurisdiction": "de"}, r"^R2 has no jurisdiction 'de'\. Try: one of default, eu, us, fedramp$"),
        ({"token": "a token"}, "^a token has neither spaces nor .*Create Token"),
    ],
)
def test_what_cannot_be_is_told_before_cloudflare_is_asked(wish: dict[str, str], why: str) -> None:
    """An account's name in the place of its id, a jurisdiction that there is not, a token with something else in it."""
    with pytest.raises(BadInput, match=why):
        Cloudflare(**{"account": ACCOUNT, "token": "a-token", **wish})
    assert Cloudflare.from_env(ACCOUNT, {"CLOUDFLARE_API_TOKEN": " a-token\n"}).token == "a-token"


def test_the_environment_shows_in_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the account is mistyped, the token that stands in the environment is not told with it."""
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "the-token")
    told = told_with_variables(lambda: Cloudflare.from_env("my-account"), BadInput)
    assert "CLOUDFLARE_API_TOKEN" in told
    assert "the-token" not in told


@pytest.mark.parametrize("jurisdiction", ["eu", "fedramp"])
def test_a_bucket_in_a_jurisdiction(
    on_r2: Setup, cloudflare: Cloudflare, fake: FakeCloudflare, jurisdiction: str
) -> None:
    """Its endpoint, its tokens and its temporary keys are those of the jurisdiction."""
    there = replace(cloudflare, jurisdiction=jurisdiction)
    assert replace(there, url=None).bucket_url == f"https://{ACCOUNT}.{jurisdiction}.r2.cloudflarestorage.com"
    setup = replace(on_r2, admin=replace(on_r2.admin, cloudflare=there), users={Role.WORKER: on_r2.users[Role.WORKER]})
    setup.apply()
    (token,) = fake.own
    place = f"{ACCOUNT}_{jurisdiction}_{on_r2.bucket}"
    assert token["policies"][0]["resources"] == {f"com.cloudflare.edge.r2.bucket.{place}": "*"}
    setup.lend("argon")
    assert fake.places[-1] == jurisdiction
    assert setup.plan().is_settled
    setup.teardown(setup.queue)


def test_a_missing_token_is_told_what_to_click() -> None:
    """Without the variable the sentence says how to get a token, and that no notebook holds it."""
    with pytest.raises(BadInput, match=r"CLOUDFLARE_API_TOKEN is missing\. Try: in Cloudflare's console"):
        Cloudflare.from_env(ACCOUNT, {})
    assert "secret" not in repr(Cloudflare.from_env(ACCOUNT, {"CLOUDFLARE_API_TOKEN": "secret"}))


def test_a_silent_cloudflare_is_told() -> None:
    """Where nobody answers that is said, without the token: not in any variable of any function on the way."""
    cloudflare = Cloudflare(ACCOUNT, "the-token", api="http://127.0.0.1:9")
    told = told_with_variables(cloudflare.access, Unavailable)
    assert "does not answer" in told
    assert "the-token" not in told
