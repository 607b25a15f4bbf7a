"""Jobs that somebody does not want any more."""

from __future__ import annotations

import time

from lrtkit.wire.clock import iso
from lrtkit.wire.record import Saved, State
from tests.worker.lab import NOW, Lab, claimed


def test_a_running_job_is_cancelled_within_a_heartbeat(lab: Lab) -> None:
    """The wish is found in the record, the workload is stopped, and the message is gone."""
    lab.send(steps=2, save_at=1, gate_after=1)
    lab.worker(grace_seconds=1)
    lab.saved()
    lab.cancel()
    lab.drained()
    record = lab.record()
    assert (record.state, record.attempts[-1].outcome) == (State.CANCELLED, "cancelled")
    assert (lab.steps(), lab.no_letters()) == ([1], True)


def test_a_cancelled_job_of_a_vanished_node_is_not_begun_again(lab: Lab) -> None:
    """Whoever gets the message next ends the job before its workload starts."""
    left_open = claimed(steps=2).saved(Saved({"step": 1, "sum": 1}), now=NOW)
    lab.change(lambda _: left_open.cancel_requested(now=NOW))
    lab.send(steps=2)
    lab.serve()
    record = lab.record()
    assert record.state is State.CANCELLED
    assert [each.cause for each in record.attempts] == ["node gone", "cancelled"]
    assert lab.steps() == []


def test_a_job_cancelled_before_its_first_attempt_is_not_begun(lab: Lab) -> None:
    """A record that somebody has made to hold the wish is enough."""
    lab.cancel()
    lab.send(steps=2)
    lab.serve()
    assert (lab.record().state, lab.steps()) == (State.CANCELLED, [])


def test_of_a_cancel_and_a_finish_one_wins(lab: Lab) -> None:
    """A wish that comes while the result is on its way makes the job cancelled, without a result."""
    lab.send(steps=2, save_at=1, gate_after=2)
    worker = lab.worker()
    lab.saved()
    lab.at_step(2)
    lab.cancel()
    lab.open("count")
    lab.drained()
    record = lab.record()
    assert record.state is State.CANCELLED
    assert lab.objects("job/result") == []
    assert not worker.events("done")


def test_what_somebody_else_has_ended_stays_ended(lab: Lab) -> None:
    """A final state never changes: a worker that finds its running job ended stops it and writes nothing."""
    lab.send(steps=2, save_at=1, gate_after=1)
    worker = lab.worker(grace_seconds=1)
    lab.saved()
    lab.change(lambda record: record.cancelled(now=iso(time.time())))
    ended = lab.record()
    assert worker.said("lease-lost")["reason"] == "somebody else has ended job as cancelled"
    lab.drained()
    assert lab.record() == ended
