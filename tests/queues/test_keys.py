"""Keys: written once, changed for others without a gap, and never lost or written over in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from lrtkit import connect
from lrtkit.queues import Role, Setup
from lrtkit.wire.errors import BadInput, Denied
from lrtkit.wire.settings import Access, read_env_file, write_env_file
from tests.queues.conftest import Clock, env_of
from tests.queues.recorder import Recorder
from tests.telling import told_with_variables


@pytest.fixture
def applied(setup: Setup) -> Setup:
    setup.apply()
    return setup


def key_of(setup: Setup, role: str = "worker") -> str:
    return env_of(setup, role)["SQS_AWS_ACCESS_KEY_ID"]


def keys_at_aws(setup: Setup, role: Role = Role.WORKER) -> dict[str, str]:
    found = setup.admin.users.list_access_keys(UserName=setup.users[role])["AccessKeyMetadata"]
    return {each["AccessKeyId"]: each["Status"] for each in found}


def test_rotation_leaves_the_old_key_at_work(applied: Setup) -> None:
    """The file holds a new key for queue and bucket that works, and so does the old one for workers under way."""
    old = connect(applied.env_file("worker"))
    (made,) = applied.rotate("worker")
    new = connect(applied.env_file("worker"))
    assert new.settings.queue.access.key_id == new.settings.bucket.access.key_id == made
    for cloud in (old, new):
        assert cloud.store.get("_lrt/probe") is None
    assert set(keys_at_aws(applied)) == {old.settings.queue.access.key_id, made}


def test_retiring_ends_the_old_key(applied: Setup) -> None:
    """After the rotation the old key is turned off and deleted, and the new one goes on."""
    old = connect(applied.env_file("worker"))
    applied.rotate("worker")
    assert applied.retire("worker") == [old.settings.queue.access.key_id]
    assert keys_at_aws(applied) == {key_of(applied): "Active"}
    with pytest.raises(Denied):
        old.store.get("_lrt/probe")
    assert connect(applied.env_file("worker")).store.get("_lrt/probe") is None
    assert applied.retire("worker") == []


def test_a_table_tells_the_age_of_each_key(applied: Setup) -> None:
    """Who has which key, since when, and which are in no file any more: by public halves alone."""
    old = key_of(applied)
    (new,) = applied.rotate("worker")
    table = applied.holders()
    assert len(table.rows) == 5
    of_worker = {row[1]: (row[3], row[4]) for row in table.rows if row[0] == "worker"}
    assert of_worker == {old: ("0", "no, so that it can be retired"), new: ("0", "yes")}
    later = replace(table, now=table.now + timedelta(days=90))
    assert {row[3] for row in later.rows} == {"90"}
    assert env_of(applied, "worker")["SQS_AWS_SECRET_ACCESS_KEY"] not in repr(table) + table._repr_html_()


def test_a_third_key_is_refused(applied: Setup) -> None:
    """IAM allows two keys: a second rotation before the first was retired says so, and changes nothing."""
    applied.rotate("worker")
    before, keys = env_of(applied, "worker"), keys_at_aws(applied)
    with pytest.raises(BadInput, match=r"has AKIA\w+ and AKIA\w+, and IAM allows 2 keys\. Try: retire first"):
        applied.rotate("worker")
    assert (env_of(applied, "worker"), keys_at_aws(applied)) == (before, keys)


def test_nothing_is_retired_where_the_new_key_does_not_work(applied: Setup, clock: Clock) -> None:
    """A file whose key AWS refuses keeps the old keys alive: they are turned on again."""
    applied.rotate("worker")
    path, keys = applied.env_file("worker"), keys_at_aws(applied)
    write_env_file(path, {**env_of(applied, "worker"), "SQS_AWS_SECRET_ACCESS_KEY": "damaged"})
    with pytest.raises(Denied, match="does not work"):
        applied.retire("worker")
    assert keys_at_aws(applied) == keys


def test_no_file_is_written_over(applied: Setup) -> None:
    """A file with another's key stops plan and apply, is named, and is left as it is."""
    path = applied.env_file("worker")
    write_env_file(path, {**env_of(applied, "worker"), "SQS_AWS_ACCESS_KEY_ID": "AKIASOMEBODYELSE"})
    before = path.read_text()
    with pytest.raises(BadInput, match=r"worker\.env holds the key AKIASOMEBODYELSE, which .* Try: move it away"):
        applied.apply()
    assert path.read_text() == before


def test_a_lost_file_is_not_made_up(applied: Setup) -> None:
    """Without its file a key is of no use to anybody; that is told, and a rotation mends it."""
    lost = key_of(applied)
    applied.env_file("worker").unlink()
    with pytest.raises(BadInput, match=rf"has the key {lost}, and there is no .*worker\.env; .* Try: .*rotate"):
        applied.apply()
    applied.rotate("worker")
    assert applied.retire("worker") == [lost]
    assert applied.plan().is_settled
    assert connect(applied.env_file("worker")).store.get("_lrt/probe") is None


def test_a_folder_that_cannot_be_written_costs_no_key(setup: Setup, tmp_path: Path) -> None:
    """Where the file cannot be written the new key is deleted again."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "submitter.env.new").mkdir()
    with pytest.raises(BadInput, match=r"cannot be written .* its new keys were deleted again"):
        replace(setup, folder=tmp_path / "taken").apply()
    assert keys_at_aws(setup, Role.SUBMITTER) == {}


def test_a_key_that_aws_does_not_come_to_know_is_deleted(applied: Setup, gate: Recorder, clock: Clock) -> None:
    """A new key is tried for a minute and a half before it is written; one that never works is deleted again."""
    before, keys = env_of(applied, "worker"), keys_at_aws(applied)
    gate.fail("sts:GetCallerIdentity", 40, 403)
    with pytest.raises(Denied):
        applied.rotate("worker")
    gate.forgive()
    assert (env_of(applied, "worker"), keys_at_aws(applied)) == (before, keys)


@pytest.mark.parametrize("trouble", ["a key that does not work", "a file that cannot be written"])
def test_no_key_is_in_the_variables_of_a_failed_rotation(applied: Setup, gate: Recorder, trouble: str) -> None:
    """Neither the old keys nor the new one are in any function's variables, which some tracebacks show."""
    path = applied.env_file("worker")
    if trouble == "a key that does not work":
        gate.fail("sts:GetCallerIdentity", 40, 403)
    else:
        path.with_name("worker.env.new").mkdir()
    told = told_with_variables(lambda: applied.rotate("worker"))
    gate.forgive()
    assert "_write_with_new_keys" in told
    assert "SecretAccessKey" not in told
    assert env_of(applied, "worker")["SQS_AWS_SECRET_ACCESS_KEY"] not in told


def test_a_file_that_others_can_read_is_refused(applied: Setup) -> None:
    """A world-readable env file is not used by anything, with the command that mends it."""
    path = applied.env_file("worker")
    path.chmod(0o644)
    with pytest.raises(BadInput, match=rf"can be read by others\. Try: chmod 600 {path}"):
        applied.plan()
    with pytest.raises(BadInput, match="chmod"):
        applied.teardown(applied.queue)
    path.chmod(0o600)
    assert applied.plan().is_settled


def test_a_session_token_goes_with_the_key(applied: Setup) -> None:
    """A temporary key for the bucket has a third part, which is sent and never shown."""
    path = applied.env_file("worker")
    connect(path).store.put("argon/1/checkpoint.json", b"{}")
    write_env_file(path, {**env_of(applied, "worker"), "R2_AWS_SESSION_TOKEN": "the-session-token"})
    cloud = connect(path)
    access = cloud.settings.bucket.access
    assert isinstance(access, Access)
    assert access.session_token == "the-session-token"
    assert "the-session-token" not in repr(cloud) + repr(cloud.settings) + repr(access)
    for _ in range(2):  # the first of these learns the region
        with pytest.raises(Denied):
            cloud.store.read(["argon/1/checkpoint.json"], bytes)
    with pytest.raises(Denied):
        cloud.store.get("argon/1/checkpoint.json")
    assert read_env_file(path)["R2_AWS_SESSION_TOKEN"] == "the-session-token"
