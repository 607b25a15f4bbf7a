"""The doctor: what works, what is refused, what is wrong and what to do about it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from lrtkit import connect
from lrtkit.connection import Cloud
from lrtkit.queues import Diagnosis, Role, Setup, Verdict, doctor
from lrtkit.queues.trials import settings
from lrtkit.queues.trials.findings import Try
from lrtkit.queues.trials.patient import Patient
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import read_env_file, write_env_file
from lrtkit.wire.sqs import Outgoing
from tests.gate import gate
from tests.queues.conftest import env_of
from tests.serving import serving

OBJECTS: dict[str, bytes] = {}


class Careless(BaseHTTPRequestHandler):
    """A bucket that takes every write whatever its condition, and whose clock is ten minutes behind."""

    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "PUT":
            OBJECTS[self.path] = body
        found = OBJECTS.get(self.path, b"") if self.command == "GET" else b""
        self.send_response_only(200)
        self.send_header("Date", formatdate(time.time() - 600, usegmt=True))
        self.send_header("ETag", '"always-the-same"')
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


class Forgetful(Careless):
    """A bucket that refuses what comes too late, and gives back something else than was written."""

    def _serve(self) -> None:
        late = self.headers.get("If-Match", "").strip('"').startswith("0000")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = {"GET": b"<else/>"}.get(self.command, b"")
        self.send_response_only(412 if late else 200)
        self.send_header("Date", formatdate(usegmt=True))
        self.send_header("ETag", f'"{len(body)}"')
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names that http.server calls


@pytest.fixture
def careless_url() -> Iterator[str]:
    with serving(Careless) as url:
        yield url


@pytest.fixture
def changed(env: dict[str, str], cloud: Cloud, tmp_path: Path) -> Callable[..., Path]:
    """Write a role's env file with changes, on a cloud that is there."""

    def write(role: str = "worker", **changes: str) -> Path:
        path = tmp_path / f"{role}.env"
        write_env_file(path, {**env, **changes})
        return path

    return write


def remedies(diagnosis: Diagnosis) -> dict[str, str]:
    return {finding.check: finding.remedy for finding in diagnosis.wrong}


@pytest.mark.parametrize("role", Role)
def test_every_role_is_healthy_where_policies_are_enforced(setup: Setup, role: Role) -> None:
    """What each must be able to do works, what it must not is refused, and nothing else is found."""
    setup.apply()
    diagnosis = doctor(setup.env_file(role))
    assert diagnosis.is_healthy, diagnosis
    assert {finding.verdict for finding in diagnosis.findings} == {Verdict.WORKS, Verdict.REFUSED}
    assert len(diagnosis.findings) >= 28
    assert repr(diagnosis).endswith("checks, 0 wrong.")


def test_it_does_no_harm(setup: Setup) -> None:
    """On a queue at work nothing is sent, received or deleted: a held message stays held, and a waiting one waits."""
    setup.apply()
    reader, worker = (connect(setup.env_file(role)) for role in ("reader", "worker"))
    reader.queue.send(Outgoing("held", "held", "held"))
    held = worker.queue.receive(lease_s=30, wait_s=1, attempt_id="held")
    assert held
    reader.queue.send(Outgoing("body", "group", "once"))
    for role in Role:
        doctor(setup.env_file(role))
    worker.queue.extend(held.receipt, 30)
    message = worker.queue.receive(lease_s=30, wait_s=1, attempt_id="first")
    assert message
    assert (message.body, message.receive_count) == ("body", 1)
    assert worker.queue.receive(lease_s=30, wait_s=1, attempt_id="second") is None
    found = [each.key for each in worker.store.listed("")]
    assert found == [keys.readings("doctor", "doctor"), keys.record(keys.DOCTOR)]
    submitter = connect(setup.env_file("submitter")).queue
    assert (submitter.depth().waiting, submitter.depth().dead) == (0, 0)


def test_a_missing_right_is_named_with_its_remedy(setup: Setup) -> None:
    """A worker's key cannot do a submitter's work; each lacking call is a row that says what to do."""
    setup.apply()
    wrong = remedies(doctor(setup.env_file("worker"), role="submitter"))
    assert "sqs:GetQueueAttributes" in wrong
    assert "not authorized" in wrong["sqs:GetQueueAttributes"]
    assert "Try: apply the set-up again" in wrong["sqs:GetQueueAttributes"]


@pytest.mark.parametrize(("enforced", "verdict"), [(True, Verdict.WRONG), (False, Verdict.NOT_ENFORCED)])
def test_a_key_that_may_do_too_much(enforced: bool, verdict: Verdict) -> None:
    """What should have been refused and was not is wrong on AWS, and said as it is where nobody enforces policies."""
    finding = Try("sqs:PurgeQueue", "queue", lambda: None, must_work=False).finding(enforced=enforced)
    assert finding.verdict is verdict
    assert ("more than its role needs" in finding.remedy) is enforced


def test_the_local_cloud_enforces_nothing_and_that_is_no_alarm(changed: Callable[..., Path]) -> None:
    """On servers of this machine a call that should be refused is told as not enforced, and all is well."""
    diagnosis = doctor(changed("worker"))
    assert diagnosis.is_healthy, diagnosis
    verdicts = [finding.verdict for finding in diagnosis.findings]
    assert Verdict.NOT_ENFORCED in verdicts
    assert Verdict.REFUSED not in verdicts
    assert "policies are not enforced here" in diagnosis._repr_html_()


def test_a_clock_that_is_off_is_told(changed: Callable[..., Path], careless_url: str) -> None:
    """Signatures carry the time, so that ten minutes are a finding of their own."""
    clock = remedies(doctor(changed(R2_S3_ENDPOINT_URL=careless_url)))["clock"]
    assert clock in {"it is 600 s ahead. Try: let NTP set it", "it is 599 s ahead. Try: let NTP set it"} or (
        "s ahead. Try: let NTP set it" in clock
    )


def test_a_bucket_without_conditional_writes_is_told(changed: Callable[..., Path], careless_url: str) -> None:
    """A store that ignores If-Match cannot fence a zombie, and is refused for it."""
    OBJECTS.clear()
    wrong = remedies(doctor(changed(R2_S3_ENDPOINT_URL=careless_url)))
    assert "writes over what has changed" in wrong["conditional writes, and no checksum in the way"]


def test_a_bucket_that_gives_back_something_else_is_told(changed: Callable[..., Path]) -> None:
    """What was written has to be read back at once, and as it was."""
    with serving(Forgetful) as url:
        wrong = remedies(doctor(changed(R2_S3_ENDPOINT_URL=url)))
    found = wrong["conditional writes, and no checksum in the way"]
    assert found == "it reads back another. Try: a bucket on R2 or S3"


def test_a_bucket_that_is_not_there_is_told(changed: Callable[..., Path]) -> None:
    """A wrong name is told once, with what to do."""
    (wrong,) = doctor(changed(R2_BUCKET_NAME="no-such-bucket")).wrong
    assert (wrong.check, wrong.subject) == ("is there", "bucket no-such-bucket")
    assert wrong.remedy.endswith("Try: lrtkit.queues.make(cloud), or mend its name")


def test_a_queue_that_is_not_there_is_told(changed: Callable[..., Path], server: str) -> None:
    """The same of a queue: its attributes, and that it is not there."""
    wrong = remedies(doctor(changed("submitter", SQS_QUEUE_URL=f"{server}/000000000000/none.fifo")))
    assert set(wrong) == {"attributes", "is there"}
    assert "mend its name" in wrong["attributes"]


EXPIRED = (400, "ExpiredToken", "The provided token has expired.")


def test_a_temporary_key_that_has_ended_is_told(changed: Callable[..., Path], server: str) -> None:
    """That is no lack of rights: it is told once, with what to do, in the place of a row for every call."""
    with gate(server) as door:
        door.refusal, door.time = EXPIRED, time.time()
        (wrong,) = doctor(changed(R2_S3_ENDPOINT_URL=door.url)).wrong
    assert wrong.check == "key"
    assert wrong.remedy.endswith("has expired. Try: put a new key into the env file, then connect anew")


def test_places_that_do_not_fit_are_told(env: dict[str, str]) -> None:
    """Another region, another account and a bucket without TLS, each with what to write instead."""
    aws = "https://sqs.eu-west-1.amazonaws.com"
    wrong = {
        **env,
        "SQS_QUEUE_URL": f"{aws}/111111111111/jobs.fifo",
        "SQS_DLQ_URL": f"{aws}/222222222222/dead.fifo",
        "R2_S3_ENDPOINT_URL": "http://r2.example.com",
        "AWS_ENDPOINT_URL_SQS": "http://sqs.example.com",
    }
    found = {each.check: each for each in settings.places(Patient.of(wrong, Role.WORKER))}
    assert found["region"].remedy == "the queue is in eu-west-1. Try: SQS_AWS_REGION=eu-west-1"
    assert found["one account for both queues"].verdict is Verdict.WRONG
    assert found["bucket encrypted on its way"].remedy == "http://r2.example.com is not. Try: https"
    assert found["queue encrypted on its way"].verdict is Verdict.WRONG
    aws_alone = {name: value for name, value in wrong.items() if name != "AWS_ENDPOINT_URL_SQS"}
    found = {each.check: each for each in settings.places(Patient.of(aws_alone, Role.WORKER))}
    assert found["queue encrypted on its way"].verdict is Verdict.WORKS


@pytest.mark.parametrize(("lease", "verdict"), [("30", Verdict.WRONG), ("120", Verdict.WORKS)])
def test_a_lease_shorter_than_a_stalled_heartbeat_is_told(env: dict[str, str], lease: str, verdict: Verdict) -> None:
    """On AWS a lease has to outlast the longest heartbeats that are known; on the local cloud short ones are fine."""
    del env["AWS_ENDPOINT_URL_SQS"]
    aws = {**env, "LRT_LEASE_SECONDS": lease, "SQS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/jobs.fifo"}
    finding = settings.lease(Patient.of(aws, Role.WORKER))
    assert finding.verdict is verdict
    assert ("Try: LRT_LEASE_SECONDS=120" in finding.remedy) is (verdict is Verdict.WRONG)


def test_a_plan_longer_than_retention_is_told(changed: Callable[..., Path]) -> None:
    """A campaign of three weeks outlives its messages."""
    assert doctor(changed("submitter"), plan_days=10).is_healthy
    wrong = remedies(doctor(changed("submitter"), plan_days=20.8))
    assert wrong["retention"].startswith("the queue drops what it has held for 14 days. Try: more replicas")


def test_a_queue_made_by_hand_is_told(cloud: Cloud, changed: Callable[..., Path]) -> None:
    """The guide's three receives, which set healthy jobs aside, are found."""
    policy = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:%s", "maxReceiveCount": 3}'
    name = cloud.queue.dead_letter_url.rpartition("/")[2]
    cloud.queue._calls.set_queue_attributes(QueueUrl=cloud.queue.url, Attributes={"RedrivePolicy": policy % name})
    wrong = remedies(doctor(changed("reader")))
    assert wrong == {
        "receives are not failures": "after 3 interruptions a healthy job is set aside. Try: apply the set-up again"
    }


def test_a_queue_without_a_place_for_dead_letters_is_told(cloud: Cloud, changed: Callable[..., Path]) -> None:
    """Without a redrive policy nothing is set aside, and one that leads elsewhere is named."""
    client, name = cloud.queue._calls, cloud.queue.name
    client.delete_queue(QueueUrl=cloud.queue.url)
    client.create_queue(QueueName=name, Attributes={"FifoQueue": "true", "MessageRetentionPeriod": "1209600"})
    assert remedies(doctor(changed("reader"))) == {
        "dead letters go to SQS_DLQ_URL": "they go to nowhere. Try: apply the set-up again"
    }
    client.create_queue(QueueName=f"else-{name}", Attributes={"FifoQueue": "true"})
    other = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:else-{name}", "maxReceiveCount": "1000"}
    client.set_queue_attributes(QueueUrl=cloud.queue.url, Attributes={"RedrivePolicy": json.dumps(other)})
    assert f"they go to else-{name}" in remedies(doctor(changed("reader")))["dead letters go to SQS_DLQ_URL"]


def test_a_file_of_no_role_is_asked_about(changed: Callable[..., Path]) -> None:
    """The name of the file tells the role; another name needs it said."""
    with pytest.raises(BadInput, match=r"mine\.env tells no role\. Try: role= one of submitter, worker"):
        doctor(changed("mine"))
    assert doctor(changed("mine"), role="worker").is_healthy


def test_a_temporary_key_is_tried_within_its_prefix(changed: Callable[..., Path], cloud: Cloud) -> None:
    """With a prefix nothing outside of it is written, and nothing that an experiment would take for a job."""
    diagnosis = doctor(changed("worker"), prefix="argon/")
    assert diagnosis.is_healthy, diagnosis
    assert [each.key for each in cloud.store.listed("")] == ["argon/_submissions/doctor"]
    assert "s3:GetObject outside of its prefix" in [finding.check for finding in diagnosis.findings]


def test_a_refused_key_is_told_once_and_never_shown(setup: Setup) -> None:
    """A mistyped key is told once for the queues, not as if each call were forbidden, and its secret is in no row."""
    setup.apply()
    path = setup.env_file("worker")
    write_env_file(path, {**env_of(setup, "worker"), "SQS_AWS_SECRET_ACCESS_KEY": "mistyped-secret"})
    diagnosis = doctor(path)
    assert [finding.check for finding in diagnosis.wrong] == ["key"]
    assert "Try: mend the key in the env file" in diagnosis.wrong[0].remedy
    shown = repr(diagnosis) + diagnosis._repr_html_() + diagnosis.frame.to_csv()
    assert not [name for name, value in read_env_file(path).items() if "SECRET" in name and value in shown]


def test_a_silent_service_is_one_finding(changed: Callable[..., Path]) -> None:
    """Where nobody answers that is said once for the queues and once for the bucket; no more is tried there."""
    nowhere = "http://127.0.0.1:9"
    diagnosis = doctor(changed("worker", AWS_ENDPOINT_URL_SQS=nowhere, R2_S3_ENDPOINT_URL=nowhere))
    silent = [finding for finding in diagnosis.wrong if finding.check == "answers"]
    assert len(silent) == 2
    assert "Try: mend its address" in silent[0].remedy
    assert remedies(diagnosis)["clock"].startswith("nobody tells the time: ")
    assert not [finding for finding in diagnosis.findings if finding.check.startswith(("sqs:", "s3:"))]
