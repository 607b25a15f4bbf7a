"""The autoscaler on a schedule: the packaged function in a bare Python, and the command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest

from lrtkit.__main__ import main
from lrtkit.autoscaler import handler, run
from lrtkit.function import bundle
from lrtkit.wire.errors import Denied, LrtError, Unavailable
from lrtkit.wire.settings import write_env_file
from tests.salad.published import KEY

OF_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What the Python runtime of Lambda brings beside the standard library."""

AS_LAMBDA_DOES = """
import importlib, json, sys, zoneinfo
zoneinfo.reset_tzpath(to=())  # not every image of Lambda has brought a table of zones
sys.path[:0] = sys.argv[1:]
name, _, function = "lrtkit.autoscaler.handler".rpartition(".")
answer = getattr(importlib.import_module(name), function)({"source": "aws.events"}, None)
assert not {"pandas", "numpy", "matplotlib", "IPython"} & set(sys.modules)
print("ANSWER", json.dumps(answer))
"""


@pytest.fixture
def variables(env, published) -> dict[str, str]:
    """A deployed function's environment, with the guide's names."""
    return {
        "queue_url": env["SQS_QUEUE_URL"],
        "min_replicas": "0",
        "max_replicas": "9",
        "salad_org": "acme",
        "salad_project": "demo",
        "salad_container_group_name": "workers",
        "salad_api_key": KEY,
        "salad_base_url": f"{published.url}/api/public",
        "SQS_AWS_REGION": "us-east-1",
        **{name: value for name, value in env.items() if name.startswith(("R2_", "AWS_ENDPOINT"))},
    }


@pytest.fixture
def lambdas(tmp_path: Path):
    """``lambdas(variables)`` runs the packaged function where there is boto3 and no more."""
    archive, bare = tmp_path / "function.zip", tmp_path / "bare"
    archive.write_bytes(bundle("Europe/Vienna"))
    bare.mkdir()
    for name in OF_LAMBDA:
        origin = Path(str(import_module(name).__file__))
        (bare / (name if origin.name == "__init__.py" else origin.name)).symlink_to(
            origin.parent if origin.name == "__init__.py" else origin
        )

    def call(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        role = {"AWS_ACCESS_KEY_ID": "ROLE", "AWS_SECRET_ACCESS_KEY": "role", "AWS_SESSION_TOKEN": "token"}
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", AS_LAMBDA_DOES, str(archive), str(bare)],
            env={**variables, **role, "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


def test_the_packaged_function_takes_a_step(lambdas, variables, published, cloud, jobs, scaler):
    """With boto3 and the zip alone it reads the queue by its role, starts the group and keeps the step."""
    jobs(4)
    done = lambdas({**variables, "hours": "0-24", "time_zone": "Europe/Vienna"})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.partition("ANSWER ")[2])
    assert (published.replicas, published.status) == (4, "deploying")
    assert answer == scaler.history()[0]
    assert json.loads(done.stdout.splitlines()[0]) == answer
    assert KEY not in done.stdout + done.stderr


def test_the_package_has_only_what_it_needs():
    """The zip is small, has nothing of notebooks, tests or the worker, and is the same each time."""
    assert bundle() == bundle()
    assert len(bundle()) < 100_000


def test_a_failed_group_fails_the_function(variables, published, cloud, jobs, scaler):
    """The step is taken and kept, and then told as an error, so that the alarm goes off."""
    jobs(1)
    published.status = "failed"
    with pytest.raises(LrtError, match="the group has failed"):
        handler({}, None, env={**variables, "SQS_AWS_ACCESS_KEY_ID": "k", "SQS_AWS_SECRET_ACCESS_KEY": "s"})
    assert published.status == "deploying"
    assert len(scaler.history()) == 1


@pytest.fixture
def hanging():
    """The URL of a server that takes every connection and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("name", "where"),
    [("AWS_ENDPOINT_URL_SQS", "wire.sqs.SqsQueue._attributes"), ("R2_S3_ENDPOINT_URL", "wire.s3.S3Store.listed")],
)
def test_a_step_that_cannot_end_in_time_says_where_it_waits(variables, published, cloud, hanging, name, where):
    """Before Lambda ends the function without a word, the error names the call, and nothing was changed."""
    env = {**variables, name: hanging, "SQS_AWS_ACCESS_KEY_ID": "k", "SQS_AWS_SECRET_ACCESS_KEY": "s"}
    with pytest.raises(Unavailable, match=rf"not over after 2 s: it waited in lrtkit\.{where}\. Try: wait"):
        handler({}, None, env=env, within_s=2)
    assert published.changes() == []


def test_a_step_that_was_ended_half_way_is_gone_on_with(variables, published, cloud, jobs):
    """A change whose answer does not come in time has been made, and the next run goes on from it."""
    jobs(3)
    env = {**variables, "SQS_AWS_ACCESS_KEY_ID": "k", "SQS_AWS_SECRET_ACCESS_KEY": "s"}
    over = threading.Event()
    published.meddle = lambda _: over.wait(60)
    with pytest.raises(Unavailable, match=r"lrtkit\.salad\.door\.Door\._once|could not be reached for PATCH"):
        handler({}, None, env=env, within_s=2)
    over.set()
    assert (published.replicas, published.status) == (3, "stopped")
    assert handler({}, None, env=env)["outcome"] == "done"
    assert (published.replicas, published.status) == (3, "deploying")


def test_a_step_that_fails_later_is_told_and_tried_again(scaler, published, jobs):
    """A service that goes away for a while ends nothing; the loop stops when it is told to."""
    jobs(1)
    said, stopped = [], threading.Event()

    def say(line: str) -> None:
        said.append(line)
        published.trouble = {("GET", "instances"): 403} if len(said) == 1 else {}
        if len(said) == 3:
            stopped.set()

    run(scaler, every_s=0.01, stopped=stopped, say=say)
    assert "start it with 1 replica" in said[0]
    assert said[1].startswith("This step failed: SaladCloud answered GET")
    assert "nothing to change" in said[2]


def test_what_is_wrong_from_the_start_ends_the_loop(scaler, published):
    """A wrong key is told at once, and not every minute."""
    published.trouble = {("GET", "workers"): 401}
    with pytest.raises(Denied, match="check salad_api_key"):
        run(scaler, every_s=60, stopped=threading.Event())


@pytest.fixture
def command_file(variables, tmp_path):
    """The env file of an autoscaler that has a key of its own."""
    path = tmp_path / "autoscaler.env"
    write_env_file(path, {**variables, "SQS_AWS_ACCESS_KEY_ID": "k", "SQS_AWS_SECRET_ACCESS_KEY": "s"})
    return path


@pytest.fixture
def command(command_file):
    """``command(words)`` starts ``python -m lrtkit autoscale`` with the env file."""
    started = []

    def start(*words: str) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "lrtkit", "autoscale", "--env-file", str(command_file), *words]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, env=dict(os.environ)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_command_steps_until_it_is_stopped(command, published, cloud, jobs):
    """SIGTERM ends it after the step in hand, with 0 and a word about the group, half an hour before the next."""
    jobs(2)
    process = command("--every", "1800")
    assert "start it with 2 replicas" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert said == "Stopped; the group is left as it is.\n"


def test_the_command_can_only_tell(command, published, cloud, jobs):
    """A dry run says what would be done, and does nothing."""
    jobs(2)
    said, _ = command("--dry-run").communicate(timeout=30)
    assert "start it with 2 replicas (dry run)" in said
    assert published.changes() == []


def test_one_step_of_the_command_tells_cron_of_a_failed_group(command_file, published, cloud, jobs, capsys):
    """Whoever steps by a timer of their own is told by the exit code, as Lambda's alarm is by an error."""
    words = ["autoscale", "--env-file", str(command_file), "--once"]
    assert main(words) == 0
    published.status = "failed"
    assert main(words) == 1
    assert "look at the group's logs and its image" in capsys.readouterr().out


def test_the_command_tells_what_is_wrong(command, published, cloud):
    """Bad input is a sentence on standard error and 2: steps too seldom would never see that a queue stays empty."""
    process = command("--every", "7200")
    told = "--every must be more than 0 and at most 1800 seconds, not 7200. Try: --every 60"
    assert told in process.communicate(timeout=30)[1]
    assert process.returncode == 2
