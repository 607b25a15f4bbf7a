"""Every call of a campaign is allowed, and every allowed call is made: on a server that enforces the policies."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lrtkit import Experiment, connect
from lrtkit.autoscaler import Autoscaler
from lrtkit.autoscaler.records import count_open
from lrtkit.autoscaler.settings import cloud_settings
from lrtkit.queues import Role, Setup, doctor, policies
from lrtkit.queues.policies import Resource
from lrtkit.scaling import Policy
from lrtkit.wire import keys
from lrtkit.wire.clock import SystemClock
from lrtkit.wire.errors import Denied, Unavailable
from lrtkit.wire.record import Holder
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import Message, Outgoing, SqsQueue, once
from tests.queues.conftest import env_of
from tests.queues.recorder import Call, Recorder
from tests.queues.workloads import LARGE
from tests.worker.lab import Lab
from worker import dead_letter
from worker.report import Report

JOBS = [
    {"name": "large", "steps": 2, "kind": "large"},
    {"name": "fails", "steps": 2, "kind": "fails"},
    {"name": "wordy", "steps": 2, "kind": "brief", "text": "x" * 1_100_000},  # too much for a message
]
CANCELLED = [{"name": "cancelled", "steps": 2, "kind": "small"}]


class Asleep:
    """A SaladCloud whose one group is stopped."""

    def get_group(self, _name: str) -> Any:
        """Return the group."""
        return SimpleNamespace(replicas=0, status="stopped", environment={})

    def list_instances(self, _name: str) -> list[Any]:
        """Return its instances."""
        return []


@dataclass
class Campaign:
    """The calls of each role during a whole campaign."""

    setup: Setup
    calls: dict[Role, list[Call]]


@pytest.fixture
def campaign(setup: Setup, gate: Recorder, tmp_path: Path) -> Campaign:
    """Submit, run, cancel, fail, look, retry and scale, each with its own role's keys, and gather all calls."""
    setup.apply()
    lab = Lab(connect(setup.env_file("submitter")), env_of(setup, "worker"), tmp_path)
    try:
        with gate.during() as calls:
            submit(setup)
            work(lab, gate)
            scale(setup)
            read(setup, lab, tmp_path)
            renew(setup)
            break_off(setup, gate, tmp_path)
    finally:
        lab.end()
    holders = {env_of(setup, role)["SQS_AWS_ACCESS_KEY_ID"]: role for role in Role}
    return Campaign(setup, {role: [call for call in calls if holders.get(call.key) is role] for role in Role})


def submit(setup: Setup) -> None:
    """Send jobs, cancel one before it begins, and leave what the guide's own worker would have left of another."""
    connect(setup.env_file("worker")).store.put(keys.result("story/guides"), b"5")
    cloud = connect(setup.env_file("submitter"))
    exp = Experiment("story", cloud)
    exp.submit(CANCELLED)
    exp.cancel(["cancelled"])
    exp.submit([*CANCELLED, *JOBS])


def work(lab: Lab, gate: Recorder) -> None:
    """Let a worker do all jobs, with a queue that fails at first and an upload that breaks off."""
    gate.fail("sqs:ReceiveMessage", 3, 500)
    worker = lab.worker("tests.queues.workloads:story", max_failures=1)
    worker.said("trouble")
    lab.saved(1, "story/large")
    gate.fail("UploadPart", 6, 500)
    lab.open("large")
    lab.is_in(lab.record("story/large").state.DONE, "story/large")
    lab.drained()
    body = json.dumps({"job_id": "story/large", "steps": 2, "kind": "large"})
    lab.cloud.queue._send(lab.cloud.queue.url, Outgoing(body, "story/large", once(body, "again")))
    worker.said("has-ended", state="done")


def read(setup: Setup, lab: Lab, folder: Path) -> None:
    """Look at everything as both roles that may, and give the failed job another chance."""
    for role in ("submitter", "reader"):
        exp = Experiment("story", connect(setup.env_file(role)))
        assert exp.status()["state"].to_dict()["story/fails"] == "failed"
        assert exp.results()["result"]["story/large"] == "done"
        exp.artifacts("large", folder / role)
        with exp.sampling(every_s=60):
            exp.depth()
        assert len(Experiment("story", connect(setup.env_file(role))).depth()) > 1
    assert exp.dead_letters().index.tolist() == ["story/fails"]
    exp.retry(["fails"])
    lab.drained()
    assert exp.results()["result"]["story/fails"] == "small 3"
    assert exp.dead_letters().empty


def renew(setup: Setup) -> None:
    """Put a copy in the place of a message that is about to expire; the worker's own code, as nobody waits 12 days."""
    queue = connect(setup.env_file("worker")).queue
    message = Message('{"job_id": "old"}', "no-receipt", "id", "old", sent_at=1.0)
    report = Report(SystemClock(), Holder("worker", "machine"))
    with pytest.raises(Exception, match="receipt"):
        asyncio.run(dead_letter.renew(queue, SystemClock(), report, message=message))


def break_off(setup: Setup, gate: Recorder, folder: Path) -> None:
    """Let the upload of a checkpoint's large file fail, as that of an artifact has; what has come is thrown away."""
    (folder / "large").write_bytes(b"x" * LARGE)
    gate.fail("UploadPart", 6, 500)
    with pytest.raises(Unavailable):
        connect(setup.env_file("worker")).store.upload(folder / "large", keys.file("story/large", "0123"))
    gate.forgive()


def scale(setup: Setup) -> None:
    """Take a step, and ask the records, as it does before it stops a group."""
    settings = cloud_settings(env_of(setup, "autoscaler"))
    queue, store = SqsQueue(settings.queue), S3Store(settings.bucket)
    scaler = Autoscaler(queue, store, Asleep(), group="workers", policy=Policy())  # type: ignore[arg-type]
    scaler.step(dry_run=True)
    assert len(scaler.history()) == 1
    assert count_open(store) == 0


def test_a_campaign_makes_exactly_the_allowed_calls(campaign: Campaign) -> None:
    """Nothing is missing: no call of a role is refused; and nothing can be taken away: each grant is used."""
    for role, calls in campaign.calls.items():
        assert [call for call in calls if call.status == 403] == []
        assert unused(campaign.setup, role, calls) == []


def unused(setup: Setup, role: Role, calls: list[Call]) -> list[tuple[str, str]]:
    """Return the grants, each a call and what it may name, that no call has made use of."""
    names = {Resource.QUEUE: setup.queue, Resource.DEAD_LETTERS: setup.dead_letter_queue}
    grants = [
        (action, pattern)
        for resource, action, patterns in policies.calls(role)
        for pattern in (
            [names.get(resource, "*")] if resource in names or action == "s3:ListBucket" else patterns.split()
        )
    ]
    made = {(call.action, call.resource) for call in calls}
    return [grant for grant in grants if not any(grant[0] == call and fnmatchcase(on, grant[1]) for call, on in made)]


def test_an_administrator_needs_exactly_its_policy(setup: Setup, gate: Recorder) -> None:
    """Whoever sets up, rotates and tears down makes every call of the policy, and no other."""
    own = setup.admin.users._request_signer._credentials.access_key
    with gate.during() as calls:
        setup.apply()
        setup.plan()
        doctor(setup.env_file("worker"))
        setup.rotate("worker")
        setup.retire("worker")
        setup.teardown(setup.queue)
    made = {call.action for call in calls if call.key == own}
    implied = {"iam:TagUser", "sqs:TagQueue"}  # by making what has tags
    allowed = {
        action
        for statement in setup.admin_policy()["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    assert made | implied == allowed
    assert [call for call in calls if call.key == own and call.status == 403] == []


def test_plain_http_is_refused(setup: Setup, guarded: str, gate: Recorder) -> None:
    """A key that may make a call may not make it without TLS, on queues and on the bucket."""
    setup.apply()
    path = setup.env_file("submitter")
    path.write_text(path.read_text().replace(gate.url, guarded))
    cloud = connect(path)
    with pytest.raises(Denied, match="explicit deny"):
        cloud.queue.depth()
    with pytest.raises(Denied):
        cloud.store.get("_lrt/probe")
