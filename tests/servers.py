"""Servers that stand in for SQS and S3, each a process of its own on 127.0.0.1 for as long as it is needed.

ministack is always there. localstack (SQS) and SeaweedFS (S3) are the second opinion: ``make second-opinion``
installs them apart, for localstack pins much of what the kit uses too.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import urllib3

from tests.waiting import until

ROOT = Path(__file__).parents[1]
SECOND_OPINION = ROOT / ".venv-second-opinion" / "bin"
LOCALSTACK = SECOND_OPINION / "python"
WEED = SECOND_OPINION / "weed"
HOST = "127.0.0.1"
FOREIGN = ("LRT_", "AWS_", "R2_", "SQS_")


def has_second_opinion() -> bool:
    """Tell whether localstack and SeaweedFS are installed."""
    return LOCALSTACK.exists() and WEED.exists()


@contextmanager
def ministack(folder: Path, app: str = "ministack.app:app", **settings: str) -> Iterator[str]:
    """Serve SQS and S3 at the URL; the socket is bound here, so that no other program can take its port."""
    server = ["hypercorn", app, "--workers", "0", "--keep-alive", "75", "--log-level", "WARNING"]
    with socket.create_server((HOST, 0)) as sock:
        url = f"http://{HOST}:{sock.getsockname()[1]}"
        command = [sys.executable, "-m", *server, "--bind", f"fd://{sock.fileno()}"]
        env = {**_quiet_ministack(url), "PYTHONPATH": str(ROOT), **settings}
        process = _started(command, folder / "ministack.log", env=env, pass_fds=[sock.fileno()])
    with _running(process, folder / "ministack.log", f"{url}/_ministack/health"):
        yield url


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """Serve SQS at the URL."""
    (port,) = free_ports(1)
    env = {
        "GATEWAY_LISTEN": f"{HOST}:{port}",
        "GATEWAY_SERVER": "hypercorn",  # its other one listens on every interface
        "LOCALSTACK_HOST": f"{HOST}:{port}",
        "SERVICES": "sqs",
        "SQS_ENDPOINT_STRATEGY": "path",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "TMPDIR": str(folder),
        "HOME": str(folder),
    }
    process = _started([str(LOCALSTACK), "-m", "localstack.runtime.main"], folder / "localstack.log", env=env)
    with _running(process, folder / "localstack.log", f"http://{HOST}:{port}/_localstack/health"):
        yield f"http://{HOST}:{port}"


@contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """Serve S3 at the URL."""
    parts = ("s3", "master", "volume", "filer")
    options = [f"{part}.port{kind}" for part in parts for kind in ("", ".grpc")]
    ports = dict(zip(options, free_ports(len(options)), strict=True))
    (folder / "weed").mkdir()
    command = [str(WEED), "server", "-s3", f"-dir={folder / 'weed'}", f"-ip={HOST}", f"-ip.bind={HOST}", *QUIET_WEED]
    process = _started([*command, *(f"-{option}={port}" for option, port in ports.items())], folder / "seaweedfs.log")
    try:
        with _running(process, folder / "seaweedfs.log", f"http://{HOST}:{ports['s3.port']}/status"):
            yield f"http://{HOST}:{ports['s3.port']}"
    finally:
        for port in ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()


QUIET_WEED = (
    "-master.telemetry=false",
    "-s3.iam=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.allowDeleteBucketNotEmpty=false",
    "-volume.max=500",
)
"""With no other port, no report to anybody, and volumes enough for as many buckets."""


def free_ports(count: int) -> list[int]:
    """Return ports that are free, and stay so until a server that cannot be handed a socket has bound them.

    They lie below those that a system gives to any connection, and each process looks among sixty-four of its own.
    """
    first = 10_000 + os.getpid() * 64 % 20_000
    return list(islice(filter(_is_free, range(first, 32_000)), count))


def bare() -> dict[str, str]:
    """Return the environment without any setting of whoever runs this."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def _started(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=log.parent,
            env={**bare(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=pass_fds,
        )


@contextmanager
def _running(process: subprocess.Popen[bytes], log: Path, health: str) -> Iterator[None]:
    try:
        until(lambda: process.poll() is not None or _answers(health))
        assert process.poll() is None, f"ended with {process.returncode}: {log.read_text()[-2000:]}"
        yield
    finally:
        process.kill()
        process.wait()


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def _answers(url: str) -> bool:
    try:
        with urllib3.PoolManager(retries=False, timeout=5) as pool:
            return pool.request("GET", url).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _quiet_ministack(url: str) -> dict[str, str]:
    """Return variables with which ministack opens no port but its own, keeps nothing and touches nothing else."""
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": url.rsplit(":", 1)[-1],
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "WARNING",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nowhere",
    }
