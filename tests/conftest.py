"""What all tests share: an emptied environment, and a server that stands in for SQS and S3."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from lrtkit import queues
from lrtkit.connection import Cloud, connect
from lrtkit.wire.settings import write_env_file
from tests import servers
from tests.waiting import until

pytest_plugins = ["tests.simulation.summary"]

hypothesis.settings.register_profile("shared", deadline=None, max_examples=50)  # cores are shared, and time is not
hypothesis.settings.load_profile("shared")


def pytest_xdist_auto_num_workers() -> int:
    """Three processes a core for ``-n auto``: most of these tests wait for leases and processes more than they work."""
    return 3 * (os.cpu_count() or 1)


LONGEST = ("tests/worker/test_chaos.py", "tests/notebooks/", "tests/browser/", "tests/simulation/")
"""What takes minutes, the longest first."""

TOGETHER = ("tests/notebooks/", "tests/browser/", "tests/local/", "tests/queues/", "tests/ground/", "tests/backtest/")
"""Where a file's tests share a notebook's run, a browser or a cloud, which would else be made in each process."""


class Units(LoadScopeScheduling):
    """Hands out one test at a time, or a file of those that belong together, to whichever process is free."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Units:
    """Let tests that share something costly run in one process."""
    config.option.loadscopereorder = False  # as the order is that of ``LONGEST``
    return Units(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes minutes begin first, so that nobody waits for it alone in the end."""
    items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in LONGEST])


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """No setting of whoever runs the tests takes part in them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(servers.FOREIGN)]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def _heed_interrupts() -> None:
    """A shell lets what it runs in the background ignore SIGINT, and with it all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a ministack of this process's own, on 127.0.0.1 alone."""
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture
def env(server: str) -> dict[str, str]:
    """A submitter's variables, with names of queues and bucket that no other test has."""
    mark = uuid.uuid4().hex[:12]
    return {
        "R2_AWS_ACCESS_KEY_ID": "KEYOFR2",
        "R2_AWS_SECRET_ACCESS_KEY": "r2-secret",
        "R2_S3_ENDPOINT_URL": server,
        "R2_BUCKET_NAME": f"bucket-{mark}",
        "SQS_AWS_ACCESS_KEY_ID": "KEYOFSQS",
        "SQS_AWS_SECRET_ACCESS_KEY": "sqs-secret",
        "SQS_AWS_REGION": "us-east-1",
        "SQS_QUEUE_URL": f"{server}/000000000000/jobs-{mark}.fifo",
        "SQS_DLQ_URL": f"{server}/000000000000/dead-{mark}.fifo",
        "AWS_ENDPOINT_URL_SQS": server,
    }


@pytest.fixture
def env_file(env: dict[str, str], tmp_path: Path) -> Path:
    """The same as a file."""
    path = tmp_path / "submitter.env"
    write_env_file(path, env)
    return path


@pytest.fixture
def bare_cloud(env_file: Path) -> Cloud:
    """A cloud whose queues and bucket are not made yet."""
    return connect(env_file)


@pytest.fixture
def cloud(bare_cloud: Cloud) -> Iterator[Cloud]:
    """A cloud with an empty queue pair and an empty bucket."""
    queues.make(bare_cloud)
    yield bare_cloud
    queues.delete(bare_cloud)


@pytest.fixture(name="until")
def _until() -> Callable[..., object]:
    """``until(condition, within_s=60)`` waits for a condition and returns its value."""
    return until
