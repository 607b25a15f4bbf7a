"""Jobs that fail, and attempts that end without a trace."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from lrtkit.wire.clock import seconds_of
from lrtkit.wire.record import State
from tests.worker.lab import Lab, Started

NO_RESULT = "the workload ended with exit code 0 but left no result. Try: return the result, and leave by no exit"


def fails(lab: Lab, workload: str = "raises", **fields: Any) -> Started:
    """Run a job that has one attempt, which fails."""
    lab.send(**fields)
    return lab.serve(workload, max_failures=1, grace_seconds=1)


@pytest.mark.parametrize(
    ("how", "kind", "message", "traceback"),
    [
        ("exception", "ValueError", "the sum is wrong", 'raise ValueError("the sum is wrong")'),
        ("exit code", "exit code 7", "the workload ended with exit code 7", ""),
        ("exit 137", "exit code 137 (out of memory?)", "the workload ended with exit code 137 (out of memory?)", ""),
        ("killed", "SIGKILL (out of memory?)", "the workload ended with SIGKILL (out of memory?)", ""),
        ("segfault", "SIGSEGV", "the workload ended with SIGSEGV", ""),
        ("no result", "BrokenProtocol", NO_RESULT, ""),
    ],
)
def test_a_failure_is_recorded(lab: Lab, how: str, kind: str, message: str, traceback: str) -> None:
    """Record, log and dead letter say what happened, with the traceback and the last lines of output."""
    worker = fails(lab, how=how)
    record, error = lab.record(), lab.error()
    assert (error.type, error.message) == (kind, message)
    assert traceback in error.traceback
    assert "host.py" not in error.traceback  # it begins where the workload does
    assert f"about to fail as {how}" in error.output
    assert (record.state, record.counts.failures, record.counts.interruptions) == (State.FAILED, 1, 0)
    assert (record.attempts[0].outcome, record.attempts[0].cause) == ("failed", "failure")
    [letter] = lab.letters(1)
    assert json.loads(letter.body) == {"job_id": "job", "how": how}
    assert (letter.attributes["error_type"], letter.reason) == (kind, message)
    assert "failed_at" in letter.attributes
    [told] = worker.events("failed")
    assert (told["job_id"], told["generation"], told["type"], told["final"]) == ("job", 1, kind, True)


def test_a_module_that_cannot_start_here_is_seen_from_its_own_lines(lab: Lab) -> None:
    """What led to its import, the host and the loader, does not stand before what its reader can mend."""
    (lab.folder / "needs_a_gpu.py").write_text('raise RuntimeError("there is no GPU")\n')
    lab.send()
    lab.serve("needs_a_gpu:run", max_failures=1, env={"PYTHONPATH": str(lab.folder)})
    assert (lab.error().type, lab.error().message) == ("RuntimeError", "there is no GPU")
    assert lab.error().traceback.splitlines()[1].endswith('needs_a_gpu.py", line 1, in <module>')


def test_where_a_crash_was_is_in_the_output(lab: Lab) -> None:
    """A segmentation fault leaves no Python traceback, but the place in the code all the same."""
    fails(lab, how="segfault")
    assert "_segfault" in lab.error().output


def test_an_attempt_that_takes_too_long_is_a_failure(lab: Lab) -> None:
    """After the job's timeout_seconds the workload is stopped; its last checkpoint and its output are kept."""
    fails(lab, "stuck", timeout_seconds=2)
    record, error = lab.record(), lab.error()
    assert (error.type, error.message) == ("Timeout", "the attempt took longer than timeout_seconds = 2")
    assert error.output == "stuck"
    assert record.checkpoint
    assert record.attempts[0].last_step == record.checkpoint.step


@pytest.mark.parametrize(
    ("workload", "fields", "message"),
    [
        ("not_a_number", {}, "the workload's state is no JSON: state['loss'] is nan"),
        ("too_deep", {"levels": 400}, "result.json cannot be kept: it has more than 100 levels of lists and objects"),
        ("cmd: sh -c 'echo 1e999 >$LRT_RESULT'", {}, "result.json cannot be kept: it holds the number 1e999"),
        ("cmd: sh -c 'echo NaN >$LRT_RESULT'", {}, "result.json cannot be kept: it holds NaN"),
        ("cmd: sh -c 'echo {:} >$LRT_RESULT'", {}, "result.json cannot be kept: it is no JSON"),
        ("cmd: true", {}, "the workload ended with exit code 0 but left no result. Try: write LRT_RESULT last"),
    ],
)
def test_what_is_no_json_is_a_failure(lab: Lab, workload: str, fields: dict[str, int], message: str) -> None:
    """A state or result that the record cannot hold fails the job, and not the worker."""
    fails(lab, workload if workload.startswith("cmd:") else f"tests.worker.cases:{workload}", **fields)
    assert message in lab.error().message
    assert lab.record().checkpoint is None


@pytest.mark.parametrize("state", ["{:}", "[1]", '{"loss": NaN}', '{"loss": 1e999}', '{"_lrt": {}}'])
def test_a_broken_checkpoint_ends_the_attempt(lab: Lab, state: str) -> None:
    """The program is stopped at once, with all that it has started, and the failure says what is wrong."""
    program = (
        f"cd $LRT_CHECKPOINT_DIR; mkdir 1; echo {shlex.quote(state)} >draft; mv draft 1/checkpoint.json; sleep 600"
    )
    fails(lab, f"cmd: sh -c {shlex.quote(program)}")
    assert lab.error().type == "BrokenProtocol"
    assert "checkpoint" in lab.error().message
    assert lab.record().checkpoint is None


def test_a_failed_job_is_tried_again_later_and_resumed(lab: Lab) -> None:
    """Each failure is released with a longer back-off, and the work that was saved before it is kept."""
    lab.send(failures=2)
    worker = lab.serve("fails_at", lease_seconds=8)
    record = lab.record()
    assert [each.outcome for each in record.attempts] == ["failed", "failed", "done"]
    assert [each.first_step for each in record.attempts] == [None, 1, 2]
    assert (record.counts.failures, record.state, lab.result()) == (2, State.DONE, 2)
    assert [each["final"] for each in worker.events("failed")] == [False, False]
    ended, began = record.attempts[1].ended_at, record.attempts[2].started_at
    assert seconds_of(began) - seconds_of(str(ended)) >= 2  # the second back-off is 4 s with jitter down to a half


def test_the_last_failure_makes_a_dead_letter(lab: Lab) -> None:
    """After LRT_MAX_FAILURES the job is set aside with its reason, and the worker goes on with the next one."""
    lab.send("hopeless", failures=9)
    lab.send("good", failures=0)
    lab.serve("fails_at", max_failures=2)
    assert [each.outcome for each in lab.record("hopeless").attempts] == ["failed", "failed"]
    assert lab.record("hopeless").state is State.FAILED
    assert [letter.reason for letter in lab.letters(1)] == ["failure 2"]
    assert lab.record("good").state is State.DONE


def test_an_invalid_job_is_set_aside_at_once(lab: Lab) -> None:
    """A module's ``validate`` speaks before any work, and no attempt is wasted on a second opinion."""
    lab.send(invalid=True, steps=3)
    lab.serve()
    record = lab.record()
    assert (record.state, record.counts.attempts, lab.steps()) == (State.FAILED, 1, [])
    assert (lab.error().type, lab.error().message) == ("InvalidJob", "this job can never run")
    assert [letter.reason for letter in lab.letters(1)] == ["this job can never run"]


def test_attempts_that_vanish_without_progress_have_an_end(lab: Lab) -> None:
    """After LRT_MAX_SILENT of them the job is set aside, for it may be what takes the machines down."""
    lab.send()
    for attempt in (1, 2):
        worker = lab.worker("silent", max_silent=2)
        lab.claimed(attempt)
        worker.vanish()
    lab.serve("silent", max_silent=2)
    record = lab.record()
    assert (record.state, lab.error().type) == (State.FAILED, "SilentTooOften")
    assert record.interruptions == {"node gone": 2}
    assert lab.letters(1)[0].reason.startswith("2 attempts in a row ended by themselves, without a result")


def test_attempts_that_vanish_with_progress_have_none(lab: Lab) -> None:
    """Each that has saved a checkpoint starts the count anew."""
    lab.send(progress=True)
    for step in (1, 2):
        worker = lab.worker("silent", max_silent=1)
        lab.saved(step)
        worker.vanish()
    lab.open("silent")
    lab.serve("silent", max_silent=1)
    record = lab.record()
    assert (record.state, record.interruptions, record.counts.failures) == (State.DONE, {"node gone": 2}, 0)
    assert lab.no_letters()
