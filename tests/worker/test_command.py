"""Programs that speak the file protocol."""

from __future__ import annotations

import shlex
import sys

import pytest

from lrtkit.wire import keys
from lrtkit.wire.record import State
from tests.worker.lab import Lab

PROGRAM = f"cmd: {sys.executable} -m tests.worker.program"


def sh(script: str) -> str:
    """Return the workload that is a shell script."""
    return f"cmd: sh -c {shlex.quote(script)}"


def test_a_program_is_run_resumed_and_done(lab: Lab) -> None:
    """It exits with 75 at its third step and goes on from there, with the files of its last whole checkpoint."""
    lab.send(steps=5, at_step=3, exit=75)
    lab.serve(PROGRAM)
    record = lab.record()
    assert lab.steps() == [1, 2, 3, 4, 5]
    assert lab.traced("job-resumed") == ["3"]
    assert [(each.outcome, each.cause) for each in record.attempts] == [("interrupted", "workload"), ("done", None)]
    assert (record.state, record.counts.failures, lab.result()) == (State.DONE, 0, 15)


@pytest.mark.parametrize(("code", "kind", "failures"), [(65, "exit code 65 (invalid job)", 1), (9, "exit code 9", 2)])
def test_an_exit_code_says_how_it_went(lab: Lab, code: int, kind: str, failures: int) -> None:
    """65 is an invalid job and final at once; anything but 0 and 75 is a failure."""
    lab.send()
    lab.serve(sh(f"exit {code}"), max_failures=2)
    record = lab.record()
    assert (record.state, record.counts.failures, lab.error().type) == (State.FAILED, failures, kind)
    assert len(lab.letters(1)) == 1


def test_files_of_a_program_become_artifacts(lab: Lab) -> None:
    """What it leaves in LRT_ARTIFACTS_DIR when it ends is kept with the result."""
    lab.send()
    lab.serve(sh("echo chart >$LRT_ARTIFACTS_DIR/chart; echo 1 >$LRT_RESULT"))
    item = lab.cloud.store.get(keys.artifact("job", 1, "chart"))
    assert item
    assert item.body == b"chart\n"


def test_temporary_files_go_with_the_attempt(lab: Lab) -> None:
    """A machine that serves hundreds of jobs is not filled by what they leave behind."""
    lab.send()
    lab.serve(sh('cd "$(mktemp -d)"; echo 1 >left; cp left $LRT_ARTIFACTS_DIR; cp left $LRT_RESULT'))
    assert lab.objects("job/artifacts/") == ["1/left"]
    assert list(lab.work_folders.iterdir()) == []


def test_the_newest_whole_checkpoint_wins(lab: Lab) -> None:
    """By the time at which it became whole, whatever the folders are called; an unfinished one is not looked at."""
    lab.send()
    whole = "mkdir {0} && echo '{{\"step\": {1}}}' >draft && mv draft {0}/checkpoint.json && sleep 0.1"
    folders = "; ".join([whole.format("z", 1), whole.format("a", 2), "mkdir zz", "echo torn >zz/checkpoint.json.new"])
    lab.serve(sh(f"cd $LRT_CHECKPOINT_DIR; {folders}; exit 1"), max_failures=1)
    record = lab.record()
    assert record.checkpoint
    assert (record.checkpoint.step, record.previous) == (2, None)


def test_a_program_may_delete_its_checkpoints(lab: Lab) -> None:
    """One that goes while it is being saved costs nothing, and the attempt goes on."""
    lab.send()
    made = "mkdir $n; for i in $(seq 300); do echo $n.$i >$n/$i; done; echo '{\"step\": 1}' >$n/checkpoint.json"
    cycle = f"n=$((n+1)); {made}; sleep 0.4; rm -r $n"
    worker = lab.worker(
        sh(f"cd $LRT_CHECKPOINT_DIR; n=0; until [ -e $TRACES/end.gate ]; do {cycle}; done; echo 1 >$LRT_RESULT")
    )
    worker.said("checkpoint-gone")
    lab.open("end")
    assert lab.is_in(State.DONE).generation == 1
