"""`up`, `status` and `down`: one cloud a folder, and nothing left behind."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys

import boto3
import psutil
import pytest
import urllib3

from lrtkit import local
from lrtkit.local import processes
from lrtkit.salad import SaladClient, SaladSettings
from lrtkit.wire.errors import BadInput, NotFound, Unavailable
from lrtkit.wire.settings import CloudSettings, read_env_file


def run(command, folder, *options):
    arguments = [sys.executable, "-m", "lrtkit.local", command, "--dir", str(folder), *options]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)


def left(folder):
    return processes.carrying({processes.CLOUD: str(folder)})


def listens(url):
    parts = urllib3.util.parse_url(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.host, parts.port)) == 0


def read_state(folder):
    return json.loads((folder / "cloud.json").read_text())


def start_family(cloud):
    """Start a worker with a workload in a process group of its own; return the process ids of both."""
    client = SaladClient(SaladSettings.from_env(read_env_file(cloud.autoscaler_env)))
    script = (
        "import os,subprocess,time;p=subprocess.Popen(['sleep','600'],start_new_session=True);"
        "print(os.getpid(),p.pid,flush=True);time.sleep(600)"
    )
    container = {"image": "x", "resources": {"cpu": 1, "memory": 1024}, "command": [sys.executable, "-c", script]}
    policies = {"autostart_policy": True, "restart_policy": "always"}
    client.create_group({"name": "workers", "replicas": 1, "container": container, **policies})

    def pids():
        return [int(pid) for log in cloud.logs.glob("*.log") for pid in log.read_text().split()]

    return pids


def test_up_gives_servers_and_env_files(folder):
    """After `up` both servers answer, and the env files lead to the queues and the bucket that will be made there."""
    done = run("up", folder)
    cloud = local.status(folder).cloud
    assert done.returncode == 0
    assert cloud
    assert cloud.sqs_url in done.stdout
    values = read_env_file(cloud.submitter_env)
    settings = CloudSettings.from_env(values)
    keys = {"aws_access_key_id": settings.queue.access.key_id, "aws_secret_access_key": settings.queue.access.secret}
    place = {"region_name": settings.queue.region, "endpoint_url": values["AWS_ENDPOINT_URL_SQS"]}
    sqs = boto3.client("sqs", **keys, **place)
    for url, name in ((settings.queue.url, "lrt-jobs.fifo"), (settings.queue.dead_letter_url, "lrt-jobs-dead.fifo")):
        assert sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"] == url
    s3 = boto3.client("s3", **keys, endpoint_url=settings.bucket.endpoint_url)
    s3.create_bucket(Bucket=settings.bucket.name)
    assert cloud.s3_url == settings.bucket.endpoint_url


def test_env_files_are_private_and_each_role_has_its_own_keys(folder):
    """Only the owner can read the env files, no two roles share a key, and every value suits a container group."""
    cloud = local.up(folder)
    paths = (cloud.submitter_env, cloud.worker_env, cloud.autoscaler_env)
    files = [read_env_file(path) for path in paths]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    for name in ("SQS_AWS_SECRET_ACCESS_KEY", "R2_AWS_SECRET_ACCESS_KEY", "SQS_AWS_ACCESS_KEY_ID"):
        assert len({values[name] for values in files}) == 3
    assert all(1 <= len(value) <= 1000 for value in files[1].values())
    assert {"queue_url", "min_replicas", "max_replicas", "salad_container_group_name"} <= set(files[2])
    assert "salad_api_key" not in files[0] | files[1]


def test_no_key_shows_in_the_repr_or_the_state_file(folder):
    """Whoever prints the cloud or reads its state file sees no key."""
    cloud = local.up(folder)
    secrets = [
        value for name, value in read_env_file(cloud.autoscaler_env).items() if "SECRET" in name or "api_key" in name
    ]
    shown = repr(cloud) + (folder / "cloud.json").read_text()
    assert len(secrets) == 3
    assert not any(secret in shown for secret in secrets)


def test_names_can_be_chosen(folder):
    """The env files carry the names of queues and bucket that `up` was given."""
    cloud = local.up(folder, queue="a.fifo", dead_letter_queue="b.fifo", bucket="c")
    values = read_env_file(cloud.worker_env)
    assert values["SQS_QUEUE_URL"].endswith("/a.fifo")
    assert values["SQS_DLQ_URL"].endswith("/b.fifo")
    assert values["R2_BUCKET_NAME"] == "c"


def test_a_queue_that_is_no_fifo_queue_is_refused(folder):
    """A wrong name or setting starts nothing."""
    with pytest.raises(BadInput, match=r"jobs\.fifo"):
        local.up(folder, queue="jobs")
    with pytest.raises(BadInput, match="zombies_s"):
        local.up(folder, zombies_s=3)  # type: ignore[call-arg]
    assert not left(folder)


def test_only_this_machine_can_reach_the_servers(folder):
    """Every port that a process of the cloud listens on is one of the two, on 127.0.0.1."""
    cloud = local.up(folder)
    ports = {urllib3.util.parse_url(url).port for url in (cloud.sqs_url, cloud.salad_url)}
    listening = [c.laddr for p in left(folder) for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == ports


def test_ministack_answers_to_its_own_names_alone(folder, http):
    """A web page cannot reach SQS and S3 of this machine by a name of its own that leads here."""
    cloud = local.up(folder)
    port = cloud.sqs_url.rpartition(":")[2]
    health = f"{cloud.sqs_url}/_ministack/health"
    assert http.request("GET", health, headers={"Host": f"localhost:{port}"}).status == 200
    assert http.request("GET", health, headers={"Host": f"evil.example:{port}"}).status == 404
    assert http.request("GET", health, headers={"Host": "evil.example"}).status == 404


def test_up_twice_is_one_cloud(folder):
    """The second `up` says that the cloud runs already, and changes neither processes nor env files."""
    run("up", folder)
    before = {path.name: path.read_bytes() for path in folder.glob("*.env")}, {p.pid for p in left(folder)}
    again = run("up", folder)
    assert again.returncode == 0
    assert "already" in again.stdout
    assert before == ({path.name: path.read_bytes() for path in folder.glob("*.env")}, {p.pid for p in left(folder)})


def test_a_second_up_changes_settings_and_refuses_other_names(folder):
    """What can be changed of a running cloud is changed; what cannot is told."""
    cloud = local.up(folder, startup_s=9)
    assert local.up(folder, startup_s=1) == cloud
    assert cloud.set()["startup_s"] == 1
    with pytest.raises(BadInput, match=r"lrt-jobs\.fifo.*down"):
        local.up(folder, queue="other.fifo")


def test_two_ups_at_the_same_time_are_one_cloud(folder):
    """Of two commands at once one starts the cloud and the other finds it."""
    arguments = [sys.executable, "-m", "lrtkit.local", "up", "--dir", str(folder)]
    both = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=60)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert " is up" in said[0]
    assert " already" in said[1]
    assert len(left(folder)) == 2


def test_two_folders_are_two_clouds(tmp_path, folder):
    """Clouds in different folders do not know each other: one goes, the other stays."""
    first, second = local.up(tmp_path / "other"), local.up(folder)
    assert {first.sqs_url, first.salad_url}.isdisjoint({second.sqs_url, second.salad_url})
    first.down()
    assert not listens(first.sqs_url)
    assert local.status(folder).condition is local.Condition.RUNNING


def test_down_leaves_no_process_and_no_port(folder, eventually, alive):
    """`down` ends replicas, their workloads and both servers, and takes the env files along."""
    cloud = local.up(folder, startup_s=0)
    pids = eventually(start_family(cloud)) + [process.pid for process in left(folder)]
    done = run("down", folder)
    assert done.returncode == 0
    assert not any(map(alive, pids))
    assert not left(folder)
    assert not listens(cloud.sqs_url)
    assert not listens(cloud.salad_url)
    assert {path.name for path in folder.iterdir()} == {".gitignore", "cloud.log", "lock", "logs"}


def test_down_where_nothing_runs_says_so(tmp_path):
    """`down` and `status` without a cloud say that there is none, and make no folder."""
    done, now = run("down", tmp_path / "none"), run("status", tmp_path / "none")
    assert (done.returncode, now.returncode) == (0, 1)
    assert "no local cloud" in done.stdout
    assert "up" in now.stdout
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    """Where the folder is a file, `up` says so and what to do."""
    (tmp_path / "file").write_text("")
    done = run("up", tmp_path / "file")
    assert done.returncode == 1
    assert "--dir" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["sqs-port", "salad-port"])
def test_a_port_in_use_is_one_sentence(folder, option):
    """Where a port is taken, `up` says which and what to do, and leaves nothing running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("up", folder, f"--{option}", str(port))
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert f"--{option}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not left(folder)
    assert not (folder / "submitter.env").exists()


def test_a_chosen_port_is_used(folder):
    """`--salad-port` decides where the local SaladCloud is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cloud = local.up(folder, salad_port=port)
    assert cloud.salad_url == f"http://127.0.0.1:{port}/api/public"
    assert local.up(folder, salad_port=port) == local.up(folder, salad_port=0) == cloud
    with pytest.raises(BadInput, match=f"salad_port {port}"):
        local.up(folder, salad_port=port + 1)


def test_what_a_killed_supervisor_left_is_cleared_up_by_up(folder, eventually, alive):
    """After a SIGKILL of the supervisor, `status` tells of the orphans, and `up` ends them and starts anew."""
    cloud = local.up(folder, startup_s=0)
    pids = eventually(start_family(cloud))
    os.kill(read_state(folder)["pid"], signal.SIGKILL)
    eventually(lambda: local.status(folder).condition is local.Condition.BROKEN)
    assert all(map(alive, pids))
    done = run("up", folder)
    assert done.returncode == 0
    assert "Ended 3 processes" in done.stdout
    assert not any(map(alive, pids))
    assert len(left(folder)) == 2


def test_what_a_killed_supervisor_left_is_cleared_up_by_down(folder, eventually, alive):
    """After a SIGKILL of the supervisor, `down` ends ministack, workers and workloads."""
    cloud = local.up(folder, startup_s=0)
    pids = eventually(start_family(cloud))
    os.kill(read_state(folder)["pid"], signal.SIGKILL)
    local.down(folder)
    assert not any(map(alive, pids))
    assert not listens(cloud.sqs_url)
    assert local.status(folder).condition is local.Condition.DOWN


def test_a_reused_process_id_is_let_alone(folder, alive):
    """A state file that names a process of somebody else neither counts as a cloud nor harms that process."""
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        urls = {"sqs_url": "http://127.0.0.1:1", "salad_url": "http://127.0.0.1:1/api/public"}
        (folder / "cloud.json").write_text(json.dumps({"pid": stranger.pid, **urls}))
        assert local.status(folder).condition is local.Condition.DOWN
        assert local.up(folder).sqs_url != "http://127.0.0.1:1"
        local.down(folder)
        assert alive(stranger.pid)
        stranger.kill()


@pytest.mark.parametrize("content", ['{"pid": 12', "[]", '{"pid": PID}', ""])
def test_a_damaged_state_file_is_replaced(folder, content):
    """A state file that cannot be read makes `up` end what runs without one, say so, and start anew."""
    first = local.up(folder)
    (folder / "cloud.json").write_text(content.replace("PID", str(read_state(folder)["pid"])))
    done = run("up", folder)
    assert "Ended 2 processes" in done.stdout
    assert not listens(first.sqs_url)
    assert len(left(folder)) == 2


def test_a_cloud_whose_folder_was_deleted_can_be_ended(folder):
    """`down` finds the processes of a cloud by their mark, even where the folder is gone."""
    cloud = local.up(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    local.down(folder)
    assert not left(folder)
    assert not listens(cloud.salad_url)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_nothing(folder, eventually, name):
    """Ctrl-C, or a SIGTERM, while `up` waits ends whatever it has started."""
    arguments = [sys.executable, "-m", "lrtkit.local", "up", "--dir", str(folder)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as starting:
        eventually(lambda: left(folder))
        starting.send_signal(name)
        assert "Interrupted" in starting.communicate(timeout=30)[1]
    assert starting.returncode == 130
    assert not left(folder)
    assert not list(folder.glob("*.env"))


def test_a_killed_up_leaves_nothing_either(folder, eventually):
    """A supervisor that nobody waits for any more ends by itself."""
    arguments = [sys.executable, "-m", "lrtkit.local", "up", "--dir", str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as starting:
        eventually(lambda: left(folder))
        starting.kill()
    eventually(lambda: not left(folder))


def test_the_cloud_ends_with_ministack(folder, eventually):
    """Without SQS and S3 there is no cloud: the supervisor notices, says so in the log, and ends."""
    cloud = local.up(folder)
    supervisor = psutil.Process(read_state(folder)["pid"])
    supervisor.children()[0].kill()
    eventually(lambda: not left(folder))
    assert "ministack ended" in (folder / "cloud.log").read_text()
    assert not listens(cloud.salad_url)


def test_a_cloud_that_is_down_does_not_answer(folder):
    """Calls to a cloud that is gone say what to do."""
    cloud = local.up(folder)
    with pytest.raises(NotFound, match="running"):
        cloud.interrupt("gone")
    with pytest.raises(BadInput, match="gone, zombie, stop"):
        cloud.interrupt("flood")
    cloud.down()
    with pytest.raises(Unavailable, match="status"):
        cloud.interruptions()


def test_importing_the_local_cloud_is_light():
    """The local cloud's face comes without pandas, and without the servers that only the supervisor needs."""
    heavy = ("pandas", "hypercorn", "starlette", "boto3")
    code = f"import sys, lrtkit.local; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
