"""Everything at once, for a minute, on real servers of two makes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lrtkit import connect, queues
from lrtkit.wire.settings import write_env_file
from tests import servers
from tests.waiting import until
from tests.worker.cases import walk
from tests.worker.lab import Lab
from tests.worker.proxy import Line
from tests.worker.storm import Site, Storm
from tests.worker.witness import Witness

JOBS = 200
WORKERS = 6
FAULTS = 60
SITES = 2
SEED = 20261124
PATIENCE_S = 300


@pytest.fixture(params=["ministack", "second opinion"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URLs of an SQS and of an S3: ministack for both, or localstack beside SeaweedFS."""
    with ExitStack() as stack:
        if request.param == "ministack":
            url = request.getfixturevalue("server")
            yield url, url
        elif not servers.has_second_opinion():
            pytest.skip("localstack and SeaweedFS are not installed. Try: make second-opinion")
        else:
            yield stack.enter_context(servers.localstack(tmp_path)), stack.enter_context(servers.seaweedfs(tmp_path))


@pytest.fixture
def elsewhere(urls: tuple[str, str], env: dict[str, str], tmp_path: Path) -> Iterator[Lab]:
    """A laboratory on these servers."""
    sqs, s3 = urls
    names = {name: f"{sqs}/000000000000/{env[name].rpartition('/')[2]}" for name in ("SQS_QUEUE_URL", "SQS_DLQ_URL")}
    env = {**env, **names, "AWS_ENDPOINT_URL_SQS": sqs, "R2_S3_ENDPOINT_URL": s3}
    write_env_file(tmp_path / "elsewhere.env", env)
    cloud = connect(tmp_path / "elsewhere.env")
    queues.make(cloud)
    lab = Lab(cloud, env, tmp_path)
    yield lab
    lab.end()
    queues.delete(cloud)


@contextmanager
def sites(lab: Lab) -> Iterator[list[Site]]:
    """Give the workers places from which the ways to queue and bucket can be cut."""
    lines = [Line(lab.env[name]) for _ in range(SITES) for name in ("AWS_ENDPOINT_URL_SQS", "R2_S3_ENDPOINT_URL")]
    try:
        yield [Site(*lines[2 * place : 2 * place + 2]) for place in range(SITES)]
    finally:
        for line in lines:
            line.close()


def test_whatever_happens_every_job_is_done_once_and_right(elsewhere: Lab) -> None:
    """Nodes vanish, hang and are stopped, the network is cut: no job is lost, doubled, set aside or a bit different."""
    jobs = {f"walk/{seed:03}": {"seed": seed, "steps": 5 + seed % 11, "pause_s": 0.1} for seed in range(JOBS)}
    for job_id, fields in jobs.items():
        elsewhere.send(job_id, **fields)
    witness = Witness(elsewhere.env, {job_id: uninterrupted(fields) for job_id, fields in jobs.items()})
    with sites(elsewhere) as places:
        storm = Storm(elsewhere, random.Random(SEED), places, WORKERS, FAULTS)
        storm.begin()
        until(lambda: all([storm.go_on(), witness.all_have_ended()]), within_s=PATIENCE_S)
        until(witness.is_idle)
    witness.judge()
    assert witness.faults() > 0
    assert storm.made.total() == FAULTS


def uninterrupted(fields: dict[str, Any]) -> bytes:
    """Return the result of a run to which nothing happens, as JSON."""
    steps = walk({**fields, "pause_s": 0}, None)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return json.dumps(end.value).encode()
