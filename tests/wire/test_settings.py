"""Settings from the environment and from env files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import CloudSettings, WorkerSettings, read_env_file, write_env_file


def test_cloud_settings(env: dict[str, str]) -> None:
    """The guide's names are read, and boto3's own for a queue elsewhere than AWS."""
    settings = CloudSettings.from_env(env)
    assert (settings.queue.url, settings.queue.endpoint_url) == (env["SQS_QUEUE_URL"], env["AWS_ENDPOINT_URL_SQS"])
    assert (settings.bucket.name, settings.bucket.endpoint_url) == (env["R2_BUCKET_NAME"], env["R2_S3_ENDPOINT_URL"])
    assert CloudSettings.from_env({**env, "AWS_ENDPOINT_URL_SQS": ""}).queue.endpoint_url is None


def test_no_secret_shows(env: dict[str, str]) -> None:
    """Settings can be logged."""
    assert "secret" not in repr(CloudSettings.from_env(env)).replace("secret=", "")
    assert env["SQS_AWS_SECRET_ACCESS_KEY"] not in repr(CloudSettings.from_env(env))


@pytest.mark.parametrize(
    "name",
    [
        "R2_AWS_ACCESS_KEY_ID",
        "R2_AWS_SECRET_ACCESS_KEY",
        "R2_BUCKET_NAME",
        "R2_S3_ENDPOINT_URL",
        "SQS_AWS_ACCESS_KEY_ID",
        "SQS_AWS_REGION",
        "SQS_AWS_SECRET_ACCESS_KEY",
        "SQS_DLQ_URL",
        "SQS_QUEUE_URL",
    ],
)
def test_each_missing_variable_is_named(env: dict[str, str], name: str) -> None:
    """A variable that is missing is named alone, with where it is got."""
    del env[name]
    with pytest.raises(BadInput, match=rf"^the environment is not complete: {name} is missing \(.+\)$"):
        CloudSettings.from_env(env)


def test_all_missing_variables_are_told_at_once() -> None:
    """An empty environment is one error and not nine."""
    with pytest.raises(BadInput) as caught:
        CloudSettings.from_env({})
    assert str(caught.value).count(" is missing (") == 9


def test_worker_defaults() -> None:
    """Without variables the worker has the defaults of the table."""
    assert WorkerSettings.from_env({}) == WorkerSettings()


def test_worker_settings() -> None:
    """Each variable has its effect."""
    env = {
        "LRT_WORKLOAD": "cmd: sleep 5",
        "LRT_LEASE_SECONDS": "60",
        "LRT_MAX_FAILURES": "5",
        "LRT_MAX_SILENT": "7",
        "LRT_CHECKPOINT_SECONDS": "30.5",
        "LRT_HANDOVER_SECONDS": "600",
        "LRT_GRACE_SECONDS": "0",
        "LRT_IDLE_EXIT_SECONDS": "90",
        "LRT_IMDS_URL": "",
    }
    settings = WorkerSettings.from_env(env)
    assert vars(settings) == {
        "workload": "cmd: sleep 5",
        "lease_s": 60,
        "max_failures": 5,
        "max_silent": 7,
        "checkpoint_s": 30.5,
        "handover_s": 600,
        "grace_s": 0,
        "idle_exit_s": 90,
        "imds_url": "",
    }


def test_worker_settings_told_at_once() -> None:
    """Every wrong value is told, with what it must be."""
    env = {
        "LRT_WORKLOAD": "argon",
        "LRT_LEASE_SECONDS": "0",
        "LRT_MAX_FAILURES": "many",
        "LRT_CHECKPOINT_SECONDS": "often",
        "LRT_GRACE_SECONDS": "nan",
    }
    with pytest.raises(BadInput) as caught:
        WorkerSettings.from_env(env)
    assert str(caught.value) == (
        "the environment is not complete: "
        "LRT_WORKLOAD is 'argon' but must be 'module:generator' or 'cmd: program arguments'; "
        "LRT_LEASE_SECONDS is '0' but must be seconds between 1 and 43200; "
        "LRT_MAX_FAILURES is 'many' but must be a whole number of at least 1; "
        "LRT_CHECKPOINT_SECONDS is 'often' but must be 'auto', or seconds between 0 and 86400; "
        "LRT_GRACE_SECONDS is 'nan' but must be seconds between 0 and 3600"
    )


@pytest.mark.parametrize("name", ["LRT_WORKLAOD", "LRT_WORKLOADS", "LRT_WORK_LOAD"])
def test_a_misspelt_setting_is_refused(name: str) -> None:
    """With the default in its place every job would be done, by another workload than was meant."""
    with pytest.raises(
        BadInput, match=rf"^the environment is not complete: {name} is no setting \(was LRT_WORKLOAD meant\?\)$"
    ):
        WorkerSettings.from_env({name: "train:run"})


@pytest.mark.parametrize("name", ["LRT_STEP_SECONDS", "LRT_CHECKPOINT_DIR", "LRT_TRACES", "LRT_LOCAL_CLOUD"])
def test_other_names_are_left_alone(name: str) -> None:
    """Whatever else begins with LRT_ is the user's, or the workload's."""
    assert WorkerSettings.from_env({name: "1"}) == WorkerSettings()


def test_a_file_comes_back(tmp_path: Path, env: dict[str, str]) -> None:
    """What the kit writes it reads, and nobody else can."""
    path = tmp_path / "submitter.env"
    values = {**env, "ODD": "a=b #c 'd\"", "QUOTED": '"a"', "APOSTROPHE": "'", "SPACED": " a "}
    write_env_file(path, values)
    assert read_env_file(path) == values
    assert path.stat().st_mode & 0o777 == 0o600


def test_files_written_by_hand(tmp_path: Path) -> None:
    """Comments, blank lines, quotes and `export` are as in a shell's file; nothing is expanded."""
    path = tmp_path / "hand.env"
    path.touch(0o600)
    path.write_text("# keys\n\nexport A='one two'\n B = \"$A\"\nC=\n")
    assert read_env_file(path) == {"A": "one two", "B": "$A", "C": ""}


@pytest.mark.parametrize(
    ("mode", "text", "message"),
    [
        (0o644, "A=1\n", r"hand\.env holds keys and can be read by others\. Try: chmod 600 .*hand\.env"),
        (0o600, "A=1\nB 2\n", r"hand\.env, line 2, is not of the form NAME=value"),
    ],
)
def test_bad_files(tmp_path: Path, mode: int, text: str, message: str) -> None:
    """A file that others can read, or a line that means nothing, is refused; the line itself is not shown."""
    path = tmp_path / "hand.env"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(BadInput, match=message):
        read_env_file(path)
