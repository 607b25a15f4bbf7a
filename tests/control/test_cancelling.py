"""Jobs that nobody wants any more, in every state that they can be in."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest

from lrtkit.wire.errors import BadInput
from tests.control.desk import Desk, job


def test_a_queued_job_is_cancelled_before_a_worker_has_it(desk: Desk) -> None:
    """The record that its taker will find says so, with what the job was."""
    desk.submit("a", "b")
    told = desk.experiment.cancel("exp/a")
    assert told.to_dict("index") == {"exp/a": {"outcome": "cancelled", "state": "cancelled"}}
    record = desk.record("a")
    assert (record.state, record.fingerprint, record.steps) == ("cancelled", job("a").fingerprint, 10)
    assert record.cancel_requested_at is not None
    assert (desk.state("a"), desk.state("b")) == ("cancelled", "queued")


def test_every_state_has_its_outcome(desk: Desk) -> None:
    """What waits is cancelled, what runs is asked, what had ended stays as it was."""
    states = ["running", "interrupted", "done", "failed", "cancelled"]
    before = {state: desk.put(state, state) for state in states}
    told = desk.experiment.cancel(states)
    assert told["outcome"].tolist() == [
        "asked to stop",
        "cancelled",
        "had ended as done",
        "had ended as failed",
        "had ended as cancelled",
    ]
    assert told["state"].tolist() == ["running", "cancelled", "done", "failed", "cancelled"]
    assert desk.record("running").cancel_requested_at is not None
    assert desk.record("interrupted").checkpoint == before["interrupted"].checkpoint
    assert all(desk.record(state) == before[state] for state in states[2:])


def test_twice_is_once(desk: Desk) -> None:
    """The same cell again changes nothing."""
    desk.put("running", "running")
    desk.put("interrupted", "interrupted")
    ids = ["running", "interrupted"]
    desk.experiment.cancel(ids)
    before = [desk.record(name) for name in ids]
    assert desk.experiment.cancel(ids)["outcome"].tolist() == ["asked to stop", "had ended as cancelled"]
    assert [desk.record(name) for name in ids] == before


def test_a_cancelled_job_is_not_sent_again(desk: Desk) -> None:
    """The table that it came from can be submitted on."""
    desk.submit("a")
    desk.experiment.cancel("a")
    told = desk.experiment.submit([job("a").fields])
    assert told.to_numpy().tolist() == [["known", "cancelled"]]


@pytest.mark.parametrize(("state", "outcome"), [("running", "asked to stop"), ("done", "had ended as done")])
def test_a_worker_that_is_first(desk: Desk, state: str, outcome: str) -> None:
    """A job that is taken, or ends, in the same moment is dealt with as what it has become."""
    desk.submit("a")
    told = desk.beside(swap=lambda: desk.put("a", state)).cancel("a")
    assert told["outcome"].tolist() == [outcome]
    assert desk.state("a") == state


def test_of_a_finish_and_a_cancel_one_wins(desk: Desk) -> None:
    """A running job that ends between the look and the wish stays done."""
    desk.put("a", "running")
    told = desk.beside(swap=lambda: desk.put("a", "done")).cancel("a")
    assert told.to_numpy().tolist() == [["had ended as done", "done"]]
    assert desk.record("a").cancel_requested_at is None


def test_ids_come_in_any_shape(desk: Desk) -> None:
    """One id, a list, a column, an index or a frame of the kit, with or without the experiment's name."""
    desk.put("a", "done")
    status = desk.experiment.status()
    for ids in ("a", "exp/a", ["a", "exp/a"], pd.Series(["exp/a"]), status.index, status, status["state"]):
        assert desk.experiment.cancel(ids).index.tolist() == ["exp/a"]
    assert desk.experiment.cancel([]).empty


def test_unknown_ids_are_told_before_anything_is_done(desk: Desk) -> None:
    """One slip holds back all, and all slips are named."""
    desk.submit("a")
    with pytest.raises(BadInput) as caught:
        desk.experiment.cancel(["a", "b", "exp/c"])
    assert str(caught.value) == "experiment exp has no job exp/b, exp/c; nothing was done. Try: ids of status()"
    assert desk.state("a") == "queued"
    with pytest.raises(BadInput, match="5 is no job_id"):
        desk.experiment.cancel([5])  # type: ignore[list-item]
    with pytest.raises(BadInput, match="None is no job_id"):
        desk.experiment.cancel(["a", None])  # type: ignore[list-item]


def test_what_the_guides_worker_has(desk: Desk) -> None:
    """Its checkpoint without a result is a job to cancel, and a result is an end."""
    desk.submit("a", "b")
    desk.cloud.store.put("exp/a/checkpoint.json", b'{"step": 3}')
    desk.cloud.store.put("exp/b/result.txt", b"3")
    assert desk.experiment.cancel(["a", "b"])["outcome"].tolist() == ["cancelled", "had ended as done"]
    record = desk.record("a")
    assert record.checkpoint is not None
    assert (record.state, record.checkpoint.step, record.fingerprint) == ("cancelled", 3, job("a").fingerprint)


def test_an_unreadable_record_has_failed_already(desk: Desk) -> None:
    """One broken object does not hold back the other jobs."""
    desk.submit("a", "b")
    desk.cloud.store.put("exp/a/checkpoint.json", b"{")
    assert desk.experiment.cancel(["a", "b"])["outcome"].tolist() == ["had ended as failed", "cancelled"]


def test_a_worker_lets_cancelled_jobs_go_unrun(desk: Desk, env: Mapping[str, str]) -> None:
    """A real worker acknowledges the message of a queued job that was cancelled, and ends one whose node is gone."""
    desk.submit("queued", "gone")
    desk.put("gone", "running")
    told = desk.experiment.cancel(["queued", "gone"])
    assert told["outcome"].tolist() == ["cancelled", "asked to stop"]
    assert {"has-ended", "cancelled"} <= desk.serve(env)
    assert (desk.state("queued"), desk.state("gone")) == ("cancelled", "cancelled")
    assert desk.record("queued").attempts == ()
    assert desk.cloud.queue.depth().waiting == 0
