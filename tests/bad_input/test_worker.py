"""Bad messages, records and workloads at a real worker: each is set aside with its reason, and the worker goes on."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from typing import Any

from lrtkit import Experiment
from lrtkit.wire import keys
from lrtkit.wire.record import State
from tests.bad_input.messages import MESSAGES, RECORDS
from tests.bad_input.page import compare
from tests.bad_input.table import Section
from tests.bad_input.workloads import CHECKPOINTS, GENERATORS, RESULTS
from tests.worker.lab import Lab, Letter


def letters_by(lab: Lab, count: int, of: Callable[[Letter], Any]) -> dict[Any, Letter]:
    """Wait for so many dead letters and return them by what they are of."""
    return {of(letter): letter for letter in lab.letters(count)}


def test_messages(lab: Lab) -> None:
    """What is no job becomes a dead letter with its body, the next job is done, and the bucket holds no trace."""
    for number, body in enumerate(MESSAGES.inputs.values()):
        lab.send_body(body, group=f"odd-{number}")
    lab.send("good", steps=1)
    lab.serve()
    letters = letters_by(lab, len(MESSAGES.inputs), lambda letter: letter.body)
    compare(MESSAGES, [letters[body].reason for body in MESSAGES.inputs.values()])
    assert {letter.attributes["error_type"] for letter in letters.values()} == {"PoisonMessage"}
    assert lab.record("good").state is State.DONE
    assert {key.split("/")[0] for key in lab.objects("")} == {"good"}


def test_records(lab: Lab) -> None:
    """A record that cannot be read is no missing one: its job is set aside, and it is left for a human to see."""
    ids = {given: f"exp/{number:02}" for number, given in enumerate(RECORDS.inputs)}
    for given, body in RECORDS.inputs.items():
        lab.cloud.store.put(keys.record(ids[given]), body)
        lab.send(ids[given], steps=3)
    lab.serve(max_failures=1)
    reasons = reasons_of(lab, len(ids))
    compare(RECORDS, [reasons[job_id] for job_id in ids.values()])
    status = Experiment("exp", lab.cloud).status()
    assert set(status["state"]) == {"failed"}
    for given, job_id in ids.items():
        item = lab.cloud.store.get(keys.record(job_id))
        assert item
        assert item.body == RECORDS.inputs[given] or "bucket" in reasons[job_id] or "folder" in reasons[job_id]


def reasons_of(lab: Lab, count: int) -> Mapping[str, str]:
    letters = letters_by(lab, count, lambda letter: json.loads(letter.body)["job_id"])
    return {job_id: letter.reason for job_id, letter in letters.items()}


def test_programs(lab: Lab) -> None:
    """A program's checkpoint or result that no record can hold fails its job, and the record has no such state."""
    ids = {**sent(lab, CHECKPOINTS, kind="checkpoint"), **sent(lab, RESULTS, kind="result")}
    program = f"cmd: {shlex.quote(sys.executable)} -m tests.bad_input.workloads"
    for _ in range(2):
        lab.worker(program, max_failures=1, grace_seconds=1)
    reasons = reasons_of(lab, len(ids))
    for section in (CHECKPOINTS, RESULTS):
        compare(section, [reasons[name(section, given)] for given in section.inputs])
    assert not [job_id for job_id in ids if lab.record(job_id).checkpoint]


def test_generators(lab: Lab) -> None:
    """A value that is none of JSON, a file out of its place and an exception each fail the job with their reason."""
    ids = sent(lab, GENERATORS)
    for _ in range(2):
        lab.worker("tests.bad_input.workloads:generator", max_failures=1, grace_seconds=1)
    reasons = reasons_of(lab, len(ids))
    compare(GENERATORS, [reasons[name(GENERATORS, given)] for given in GENERATORS.inputs])
    assert not [job_id for job_id in ids if lab.record(job_id).checkpoint]


def name(section: Section, given: str) -> str:
    return f"{section.title.replace(' ', '-').replace(',', '')}/{list(section.inputs).index(given):02}"


def sent(lab: Lab, section: Section, **fields: Any) -> dict[str, str]:
    """Send a job for each input of a section, and return what was given to each."""
    return {lab.send(name(section, given), given=given, **fields): given for given in section.inputs}
