"""Jobs that come to their end, and those that had come to it before."""

from __future__ import annotations

import json

import pytest

from lrtkit.wire import keys
from lrtkit.wire.record import Failure, Saved, State
from tests.worker.lab import NOW, Lab, claimed


def test_a_job_is_run_to_its_result_and_its_message_is_gone(lab: Lab) -> None:
    """Record and result.txt hold the result, the attempt is recorded, and nothing is left in the queue or on disk."""
    lab.send("sums/one", steps=5)
    worker = lab.serve()
    record = lab.record("sums/one")
    assert (record.state, record.result, lab.result("sums/one")) == (State.DONE, 15, 15)
    assert (record.steps, record.generation, record.counts.attempts, record.counts.failures) == (5, 1, 1, 0)
    [attempt] = record.attempts
    assert (attempt.outcome, attempt.cause, attempt.generation, attempt.first_step) == ("done", None, 1, None)
    assert str(worker.pid) in attempt.worker
    assert attempt.started_at < str(attempt.ended_at)
    assert lab.steps("sums/one") == [1, 2, 3, 4, 5]
    assert list(lab.work_folders.iterdir()) == []


def test_any_json_value_is_a_result(lab: Lab) -> None:
    """None, numbers, texts and nested values come out as they went in; None is a result and no interruption."""
    values = [None, 1.5, "a ä 😀", {"deep": [{"er": None}]}, "x" * 70_000]
    for number, value in enumerate(values):
        lab.send(f"value-{number}", value=value)
    lab.serve("returns")
    assert [lab.result(f"value-{number}") for number in range(len(values))] == values
    assert {lab.record(f"value-{number}").state for number in range(len(values))} == {State.DONE}


def test_files_of_a_result_become_artifacts(lab: Lab) -> None:
    """They lie under the attempt's generation, by their names, and the record lists them with their hashes."""
    lab.send()
    lab.serve("artifacts")
    assert lab.result() == {"files": 2}
    assert lab.objects("job/artifacts/") == ["1/deep/er/written.txt", "1/plain.txt"]
    item = lab.cloud.store.get(keys.artifact("job", 1, "deep/er/written.txt"))
    assert item
    assert item.body == b"written"
    assert {name: file.size for name, file in lab.record().artifacts.items()} == {
        "plain.txt": 5,
        "deep/er/written.txt": 7,
    }


def test_a_checkpoint_of_the_guides_worker_is_resumed(lab: Lab) -> None:
    """Its checkpoint.json is the bare state; the job goes on from there, and the record becomes ours."""
    lab.cloud.store.put(keys.record("job"), json.dumps({"step": 3, "sum": 6}).encode())
    lab.send(steps=5)
    lab.serve()
    assert lab.steps() == [4, 5]
    assert lab.record().attempts[0].first_step == 3
    assert lab.result() == 15


@pytest.mark.parametrize("checkpoint", [None, {"step": 3, "sum": 6}])
def test_a_result_of_the_guides_worker_is_a_done_job(lab: Lab, checkpoint: dict[str, int] | None) -> None:
    """Its result.txt has no record beside it, or one without our envelope; the job is not run again."""
    if checkpoint:
        lab.cloud.store.put(keys.record("job"), json.dumps(checkpoint).encode())
    lab.cloud.store.put(keys.result("job"), b"15")
    lab.send(steps=5)
    worker = lab.serve()
    assert worker.events("has-ended")
    assert (lab.steps(), lab.result()) == ([], 15)


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED])
def test_a_job_that_has_ended_is_not_run_when_it_comes_again(lab: Lab, state: State) -> None:
    """Done, failed and cancelled are final: the message is acknowledged and the record left as it is."""
    ended = {
        State.DONE: claimed(steps=5).done(15, {}, now=NOW),
        State.FAILED: claimed(steps=5).failed(Failure("Lost", "its dead letter is not sent yet"), final=True, now=NOW),
        State.CANCELLED: claimed(steps=5).cancelled(now=NOW),
    }[state]
    lab.change(lambda _: ended)
    lab.send(steps=5)
    lab.serve()
    assert lab.steps() == []
    assert lab.record() == ended
    if state is State.FAILED:  # whoever recorded it may have died before it was sent
        assert lab.letters(1)[0].reason == "its dead letter is not sent yet"


def test_a_done_job_without_its_result_file_gets_it(lab: Lab) -> None:
    """Its worker died between the commit and result.txt; whoever gets the message next writes it."""
    lab.change(lambda _: claimed(steps=5).done({"sum": 15}, {}, now=NOW))
    lab.send(steps=5)
    lab.serve()
    assert (lab.steps(), lab.result()) == ([], {"sum": 15})


def test_a_reopened_job_goes_on_from_its_checkpoint(lab: Lab) -> None:
    """A redrive leads out of failed, with a fresh budget and the work that was saved."""
    failed = claimed(steps=5).saved(Saved({"step": 2, "sum": 3}), now=NOW)
    lab.change(lambda _: failed.failed(Failure("Lost", "once"), final=True, now=NOW).reopened(now=NOW))
    lab.send(steps=5)
    lab.serve()
    assert (lab.steps(), lab.result()) == ([3, 4, 5], 15)
