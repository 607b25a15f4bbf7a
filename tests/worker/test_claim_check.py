"""Jobs that are too large for a message: their bodies lie in the bucket, and all else is as for any other job."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from lrtkit import BadTable, Experiment
from lrtkit.wire import keys, ledger
from lrtkit.wire.errors import Unavailable
from lrtkit.wire.job import Job, fingerprint
from lrtkit.wire.parcel import claim_check
from lrtkit.wire.record import Record, State
from lrtkit.wire.s3 import Item, S3Store
from lrtkit.wire.settings import WorkerSettings
from tests.simulation import loop
from tests.simulation.cloud import BUCKET, CloudTwin
from tests.simulation.node import NodeTwin
from tests.simulation.workload import Pace
from tests.worker.lab import Lab

TEXT = "ü\u2028" * 300_000


def row(**fields: Any) -> dict[str, Any]:
    return {"name": "large", "text": TEXT, **fields}


def test_a_job_of_any_size_is_run(lab: Lab) -> None:
    """It is fetched, fenced by its whole fingerprint, and shown with all of its fields and its result."""
    experiment = Experiment("exp", lab.cloud)
    assert experiment.submit([row(steps=3), {"name": "small", "steps": 2}])["outcome"].tolist() == ["sent", "sent"]
    assert experiment.status()["steps"].tolist() == [3, 2]
    lab.serve()
    record = lab.record("exp/large")
    assert (record.state, record.result) == (State.DONE, 6)
    assert record.fingerprint == fingerprint({"text": TEXT, "steps": 3})
    lab.cloud.queue.send(claim_check("exp/large", record.fingerprint or "", "0" * 64).outgoing("again"))
    lab.serve()
    assert lab.no_letters(), "an ended job's message needs no body any more"
    results = experiment.results()
    assert results["result"].tolist() == [6, 3]
    assert results.loc["exp/large", "text"] == TEXT
    assert results["text"].isna().tolist() == [False, True]


def test_the_list_of_what_was_submitted_stays_small(lab: Lab) -> None:
    """To know where jobs stand, nobody has to read their large fields; those are kept once."""
    Experiment("exp", lab.cloud).submit([row(steps=3)])
    sizes = {found.key.rpartition(".")[2]: found.size for found in lab.cloud.store.listed("exp/")}
    assert sizes["jsonl"] < 300
    assert sizes["json"] == len(Job({"job_id": "exp/large", "text": TEXT, "steps": 3}).body.encode())


def test_the_same_again_and_changed(lab: Lab) -> None:
    """A second run sends nothing; a change in what only the bucket has is a question."""
    experiment = Experiment("exp", lab.cloud)
    experiment.submit([row(steps=3)])
    assert experiment.submit([row(steps=3)])["outcome"].tolist() == ["known"]
    assert experiment.diff([row(steps=3, text=TEXT + "!")])["action"].tolist() == ["ask"]
    with pytest.raises(BadTable, match="the job's record was made with other values, and exp/large is queued"):
        experiment.submit([row(steps=3, text=TEXT + "!")])


def test_a_failed_one_is_run_again(lab: Lab) -> None:
    """What a failed job was is kept for its next chance, and its dead letter leads there even without any list."""
    experiment = Experiment("exp", lab.cloud)
    experiment.submit([row(steps=3, failures=1)])
    lab.serve("fails_at", max_failures=1)
    assert lab.is_in(State.FAILED, "exp/large").error
    letters = experiment.dead_letters()
    assert list(letters.loc["exp/large", ["reason", "state"]]) == ["failure 1", "failed"]
    lab.cloud.store.delete([found.key for found in lab.cloud.store.listed(keys.submissions("exp"))])
    assert experiment.retry("large")["outcome"].tolist() == ["sent again"]
    lab.serve("fails_at")
    assert lab.record("exp/large").state is State.DONE
    assert lab.no_letters()


def test_a_body_that_is_not_what_was_submitted(lab: Lab) -> None:
    """Missing or altered: the job fails; another job's or under no hash: the message is none of a job's."""
    other, lying = (Job({"job_id": job_id, "steps": 1}).body.encode() for job_id in ("other", "lying"))
    hashes = {
        "missing": "0" * 64,
        "altered": "1" * 64,
        "swapped": hashlib.sha256(other).hexdigest(),
        "lying": hashlib.sha256(lying).hexdigest(),
        "strange": "../../other/result.txt",
    }
    lab.cloud.store.put(keys.body("altered", hashes["altered"]), b'{"job_id": "altered", "steps": 1}')
    lab.cloud.store.put(keys.body("swapped", hashes["swapped"]), other)
    lab.cloud.store.put(keys.body("lying", hashes["lying"]), lying)
    for job_id, sha256 in hashes.items():
        lab.cloud.queue.send(claim_check(job_id, "f" * 64, sha256).outgoing())
    lab.serve(max_failures=1)
    reasons = {letter.body: letter.reason for letter in lab.letters(5)}
    expected = {
        "missing": f"the body {'0' * 64} of missing is not in the bucket. Try: submit its row under another job_id",
        "altered": f"the body {'1' * 64} of altered is not what was submitted: its hash differs. "
        "Try: submit its row under another job_id",
        "swapped": f"the body {hashes['swapped']} of swapped is another job's",
        "lying": f"the body {hashes['lying']} of lying is another job's",
        "strange": "the message's attribute body_sha256 is '../../other/result.txt', which is no SHA-256",
    }
    assert reasons == {Job({"job_id": job_id}).body: reason for job_id, reason in expected.items()}
    records = [key for key in lab.objects("") if key.endswith("checkpoint.json")]
    assert records == [keys.record("altered"), keys.record("missing")]
    for job_id in ("altered", "missing"):
        record = lab.is_in(State.FAILED, job_id)
        assert (record.fingerprint, record.error and record.error.message) == ("f" * 64, expected[job_id])


def test_a_lost_body_is_no_secret(lab: Lab) -> None:
    """Whoever looks sees that the job has failed and why; a body that is there again is another chance for it."""
    experiment = Experiment("exp", lab.cloud)
    experiment.submit([row(steps=3)])
    (body,) = [found.key for found in lab.cloud.store.listed(keys.submissions("exp/large"))]
    item = lab.cloud.store.get(body)
    assert item
    lab.cloud.store.delete([body])
    lab.serve(max_failures=1)
    assert experiment.status()["state"].tolist() == ["failed"]
    assert "is not in the bucket" in str(experiment.why("large"))
    lab.cloud.store.put(body, item.body)
    experiment.retry("large")
    lab.serve()
    assert experiment.results()["result"].tolist() == [6]
    lab.cloud.store.put(body, b"{")
    assert Experiment("exp", lab.cloud).results()["result"].tolist() == [6], "a result needs no body"


class Hesitant(S3Store):
    """A bucket that does not answer the first few times that somebody asks for a body."""

    refusals = 5

    def get(self, key: str) -> Item | None:
        """Read, if this is the time for it."""
        if "/_submissions/" in key and self.refusals:
            self.refusals -= 1
            raise Unavailable(f"cannot read {key}")
        return super().get(key)


def test_a_body_in_a_bucket_that_is_away_is_waited_for() -> None:
    """The job is neither run without its fields nor set aside; in virtual time it is done when the bucket is back."""
    record, store, dead = loop.run(_hesitated())
    assert (record.state, record.steps, store.refusals, dead) == (State.DONE, 5, 0, 0)


async def _hesitated() -> tuple[Record, Hesitant, int]:
    cloud = CloudTwin()
    cloud.store = store = Hesitant(BUCKET, connect=cloud.connect)
    job = Job({"job_id": "job", "steps": 5})
    sha256 = hashlib.sha256(job.body.encode()).hexdigest()
    store.put(keys.body("job", sha256), job.body.encode())
    cloud.queue.send(claim_check("job", job.fingerprint, sha256).outgoing())
    settings = WorkerSettings(imds_url="", idle_exit_s=300)
    await NodeTwin("node", cloud, settings=settings, pace=Pace()).has_stopped()
    record = ledger.read(store, "job").record
    assert record
    return record, store, cloud.queue.depth().dead
