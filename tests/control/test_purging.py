"""Experiments that are removed for good, with messages of theirs left in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from lrtkit import Experiment
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import Outgoing
from tests.control.desk import Desk, job


def objects(desk: Desk, prefix: str = "exp/") -> list[str]:
    return [found.key for found in desk.cloud.store.listed(prefix)]


def fill(desk: Desk) -> None:
    """Leave jobs in all states that have ended or wait, with their objects and a dead letter, and a neighbour."""
    desk.submit("queued", "done", "failed")
    for state in ("done", "failed", "interrupted", "cancelled"):
        desk.put(state, state)
    for key in ("exp/done/result.txt", "exp/done/artifacts/1/a.bin", keys.file("exp/failed", "0" * 64), "exp/notes.md"):
        desk.cloud.store.put(key, b"12345")
    for name in ("exp/failed", "other/failed"):
        desk.cloud.queue.send_dead(Outgoing(f'{{"job_id":"{name}","steps":10}}', name, name))
    desk.cloud.store.put(keys.record("exp-2/a"), b"{}")


def test_it_asks_first(desk: Desk) -> None:
    """Without its name, and with another, nothing is removed; what would be is told in a sentence and a frame."""
    fill(desk)
    before = objects(desk, "")
    told = desk.experiment.purge()
    assert told.text.startswith(
        "exp has 5 jobs (1 queued, 1 interrupted, 1 done, 1 failed, 1 cancelled): a purge removes 10 objects ("
    )
    assert told.text.endswith(
        " and 1 dead letter, for good. Nothing was done. Try: purge(confirm='exp'), or from a shell --confirm exp"
    )
    assert told.frame["objects"].to_dict() == {
        "artifacts": 1, "files": 1, "others": 1, "records": 4, "results": 1, "submissions": 2,
    }  # fmt: skip
    assert told.text in repr(told)
    assert "<td>" in told._repr_html_()
    with pytest.raises(BadInput, match="'argon' is not 'exp'; nothing was removed"):
        desk.experiment.purge(confirm="argon")
    assert objects(desk, "") == before


def test_only_its_own_goes(desk: Desk) -> None:
    """Jobs, objects and dead letters are gone but for small records; those of other experiments stay. Twice is once."""
    fill(desk)
    told = desk.experiment.purge(confirm="exp")
    assert "exp is purged: " in told.text
    assert "Of 5 jobs a small record stays" in told.text
    names = ("cancelled", "done", "failed", "interrupted", "queued")
    assert objects(desk) == [keys.record(f"exp/{name}") for name in names]
    assert objects(desk, "exp-2/") == [keys.record("exp-2/a")]
    for experiment in (desk.experiment, Experiment("exp", desk.cloud)):
        assert experiment.status().empty
    assert desk.experiment.purge(confirm="exp").text == "exp is purged: 0 objects (0.0 MB) and 0 dead letters removed."
    assert len(objects(desk)) == 5
    assert len(Experiment("other", desk.cloud).dead_letters()) == 1


def test_running_jobs_hold_it_back_until_they_are_cancelled(desk: Desk) -> None:
    """Nothing is removed under a worker that was not asked to stop; one that was asked is fenced off."""
    desk.submit("a", "b")
    record = desk.put("a", "running")
    with pytest.raises(BadInput, match=r"exp/a: running; nothing was removed\. Try: cancel first"):
        desk.experiment.purge(confirm="exp")
    assert desk.state("b") == "queued"
    desk.experiment.cancel("a")
    desk.experiment.purge(confirm="exp")
    left = desk.record("a")
    assert (left.state, left.generation, left.purged_at is not None) == ("cancelled", record.generation, True)


def test_a_job_that_begins_to_run_meanwhile_is_left(desk: Desk) -> None:
    """A worker that is first keeps its job whole, and the purge says so and can be repeated."""
    desk.submit("a")
    beside = desk.beside(swap=lambda: desk.put("a", "running"))
    with pytest.raises(BadInput, match="exp/a: began to run meanwhile; all else was removed"):
        beside.purge(confirm="exp")
    assert desk.state("a") == "running"
    assert desk.experiment.status()["steps"].tolist() == [10]


def test_messages_that_are_left_do_not_rise_from_the_dead(desk: Desk, env: Mapping[str, str]) -> None:
    """A real worker lets them go unrun and leaves nothing behind."""
    desk.submit("a", "b")
    desk.put("b", "done")
    desk.experiment.purge(confirm="exp")
    before = [desk.record(name) for name in "ab"]
    told = desk.serve(env)
    assert "purged" in told
    assert "claimed" not in told
    assert desk.cloud.queue.depth().waiting == 0
    assert [desk.record(name) for name in "ab"] == before
    assert len(objects(desk)) == 2


def test_the_same_and_other_rows_can_be_submitted_anew(desk: Desk, env: Mapping[str, str]) -> None:
    """Under a purged id a new job runs, and the message of the old one, if another, does not."""
    desk.submit("same", "other")
    desk.experiment.purge(confirm="exp")
    desk.serve(env)
    table = [job("same").fields, job("other", steps=5).fields]
    desk.submit("other", "third")
    assert desk.experiment.diff(table)["action"].tolist() == ["send", "ask"]
    desk.experiment.purge(confirm="exp")
    assert desk.experiment.diff(table)["state"].tolist() == ["new", "new"]
    assert desk.experiment.submit(table)["outcome"].tolist() == ["sent", "sent"]
    assert desk.experiment.status()["state"].tolist() == ["queued", "queued"]
    assert desk.experiment.submit(table)["outcome"].tolist() == ["known", "known"]
    desk.serve(env)
    assert desk.experiment.results()["result"].to_dict() == {"exp/same": 55, "exp/other": 15}
    assert desk.experiment.dead_letters().empty


class Crashing(S3Store):
    """A bucket that is away from a call on."""

    calls_left = 0

    def put(self, key: str, body: bytes) -> None:
        """Write, unless the time has come."""
        self._count()
        super().put(key, body)

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Swap, unless the time has come."""
        self._count()
        return super().swap(key, body, etag)

    def _count(self) -> None:
        if self.calls_left == 0:
            raise KeyboardInterrupt
        self.calls_left -= 1


@pytest.mark.parametrize("calls", range(4))
def test_a_submission_under_purged_ids_that_breaks_off(desk: Desk, calls: int) -> None:
    """Wherever it ended, the next one sends what is not queued."""
    desk.submit("a", "b")
    desk.experiment.purge(confirm="exp")
    crashing = Crashing(desk.cloud.settings.bucket)
    crashing.calls_left = calls
    with pytest.raises(KeyboardInterrupt):
        Experiment("exp", replace(desk.cloud, store=crashing)).submit([job(name).fields for name in "ab"])
    desk.submit("a", "b")
    assert desk.experiment.status()["state"].tolist() == ["queued", "queued"]
