"""A whole local cloud for the stories: queue, bucket, and machines that can be lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrtkit import connect, local, queues
from lrtkit.autoscaler import Autoscaler
from lrtkit.connection import Cloud
from lrtkit.salad import Workers, deploy
from lrtkit.scaling import Policy

SETTINGS = {"LRT_LEASE_SECONDS": "4", "LRT_CHECKPOINT_SECONDS": "1", "STEP_SECONDS": "0.1"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[local.LocalCloud]:
    """A local cloud whose machines come at once."""
    cloud = local.up(tmp_path / ".lrt", startup_s=0.2, zombie_s=6, linger_s=3)
    yield cloud
    cloud.down()


@pytest.fixture
def connected(here: local.LocalCloud) -> Cloud:
    """The cloud as a notebook connects to it, with its queues and its bucket."""
    cloud = connect(here.submitter_env)
    queues.make(cloud)
    return cloud


@pytest.fixture
def scaler(here: local.LocalCloud, connected: Cloud) -> Autoscaler:
    """The autoscaler of a container group that is described but has no replica yet."""
    scaler = Autoscaler.from_env_file(here.autoscaler_env, policy=Policy(max_replicas=3))
    deploy(scaler.salad, Workers(scaler.group, "lrtkit-worker", here.worker_env, SETTINGS))
    return scaler
