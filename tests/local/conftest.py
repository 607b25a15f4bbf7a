"""A local cloud for the tests of one module, quick where the real one is slow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from lrtkit import local
from lrtkit.salad import Group, Instance, InstanceState, SaladClient, SaladSettings
from lrtkit.wire.errors import NotFound
from lrtkit.wire.settings import read_env_file
from tests.waiting import is_alive, until

FAMILY = """
import os, subprocess, sys, time
workload = subprocess.Popen(["sleep", "600"], start_new_session=True)
print("pids", os.getpid(), workload.pid, flush=True)
time.sleep(600)
"""
"""Stands in for a worker whose workload runs in a process group of its own."""


@dataclass
class Deployed:
    """A container group of the local SaladCloud, as its users see it, and what its workers wrote."""

    cloud: local.LocalCloud
    client: SaladClient
    name: str

    def read(self) -> Group:
        """Return the group as it is now."""
        return self.client.get_group(self.name)

    def instances(self) -> list[Instance]:
        """Return its instances as they are now."""
        return self.client.list_instances(self.name)

    def running(self, count: int = 1) -> list[Instance]:
        """Wait until so many instances run, and no others are listed."""

        def all_run() -> list[Instance]:
            found = self.instances()
            run = all(instance.state is InstanceState.RUNNING for instance in found)
            return found if run and len(found) == count else []

        return until(all_run)

    def said(self, instance: Instance) -> str:
        """Return what the instance's worker wrote."""
        log = self.cloud.logs / f"{instance.id}.log"
        return log.read_text() if log.exists() else ""

    def pids(self, instance: Instance) -> list[int]:
        """Return the worker's and its workload's process ids."""
        line = until(lambda: [line for line in self.said(instance).splitlines() if line.startswith("pids")])[-1]
        return [int(pid) for pid in line.split()[1:]]

    def patch(self, **changes: Any) -> Group:
        """Change the group."""
        return self.client.patch_group(self.name, changes)


@dataclass
class Deployer:
    """Makes container groups, and removes them afterwards."""

    cloud: local.LocalCloud
    client: SaladClient
    made: list[str] = field(default_factory=list)

    def __call__(self, script: str = FAMILY, **changes: Any) -> Deployed:
        """Create and start a group whose workers run the script."""
        name = f"group-{time.monotonic_ns()}"
        container = {
            "image": "lrtkit/worker:1",
            "resources": {"cpu": 1, "memory": 1024},
            "command": [sys.executable, "-c", script],
            **changes.pop("container", {}),
        }
        spec = {"name": name, "autostart_policy": True, "restart_policy": "always", "replicas": 1, **changes}
        self.client.create_group({**spec, "container": container})
        self.made.append(name)
        return Deployed(self.cloud, self.client, name)

    def remove_all(self) -> None:
        """Delete the groups that are still there."""
        for name in self.made:
            try:
                self.client.delete_group(name)
            except NotFound:
                continue  # the test has deleted it


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud") / ".lrt"
    running = local.up(folder, startup_s=0.1, grace_s=1, zombie_s=1, linger_s=1)
    yield running
    running.down()


@pytest.fixture
def client(cloud: local.LocalCloud) -> SaladClient:
    return SaladClient(SaladSettings.from_env(read_env_file(cloud.autoscaler_env)))


@pytest.fixture
def deploy(cloud: local.LocalCloud, client: SaladClient) -> Iterator[Deployer]:
    deployer = Deployer(cloud, client)
    yield deployer
    deployer.remove_all()


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return until


@pytest.fixture
def alive() -> Callable[[int], bool]:
    return is_alive


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a cloud of the test's own, which is down afterwards whatever happened."""
    path = tmp_path / ".lrt"
    yield path
    local.down(path)


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        yield pool
