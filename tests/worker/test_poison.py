"""Messages that are no jobs."""

from __future__ import annotations

import pytest

from lrtkit.wire.record import State
from tests.worker.lab import Lab

POISON = {
    "no JSON": ("{job_id", "the message is no JSON"),
    "a blank": (" ", "the message is no JSON"),
    "a list": ('["job_id"]', "the message is a JSON list, not an object"),
    "a number": ("1", "the message is a JSON int, not an object"),
    "no job_id": ('{"steps": 1}', "the message has no job_id"),
    "null": ('{"job_id": null}', "job_id must be text, not None"),
    "a number as id": ('{"job_id": 7}', "job_id must be text, not 7"),
    "an empty id": ('{"job_id": ""}', "must be 1 to 128 of"),
    "a way out": ('{"job_id": "a/../b"}', "must not have an empty, '.' or '..' part"),
    "a root": ('{"job_id": "/a"}', "must be 1 to 128 of"),
    "a long id": (f'{{"job_id": "{"a" * 129}"}}', "must be 1 to 128 of"),
    "a line break": ('{"job_id": "a\\nb"}', "must be 1 to 128 of"),
    "a lone surrogate as id": ('{"job_id": "a\\ud800"}', "must be 1 to 128 of"),
    "not a number": ('{"job_id": "a", "x": NaN}', "NaN is no JSON value"),
    "infinity": ('{"job_id": "a", "x": 1e999}', "1e999 is too large for a number"),
    "too many digits": (f'{{"job_id": "a", "x": {"1" * 5000}}}', "the message is no JSON"),
    "an endless timeout": (f'{{"job_id": "a", "timeout_seconds": {"1" * 400}}}', "the message holds what no job can"),
    "too deep": (f'{{"job_id": "a", "x": {"[" * 200_000}{"]" * 200_000}}}', "the message is no JSON"),
}


def test_what_is_no_job_is_set_aside_with_its_reason(lab: Lab) -> None:
    """The dead letter has the original body, the worker goes on with the next job, and the bucket holds no trace."""
    for name, (body, _) in POISON.items():
        lab.send_body(body, group=name.replace(" ", "-"))
    lab.send("good", steps=1)
    lab.serve()
    letters = {letter.body: letter for letter in lab.letters(len(POISON))}
    assert letters.keys() == {body for body, _ in POISON.values()}
    for body, reason in POISON.values():
        assert reason in letters[body].reason
        assert letters[body].attributes["error_type"] == "PoisonMessage"
    assert lab.record("good").state is State.DONE
    assert {key.split("/")[0] for key in lab.objects("")} == {"good"}


def test_odd_fields_are_no_poison(lab: Lab) -> None:
    """Lone surrogates, long numbers and control characters in a job's fields come out of it as they went in."""
    value = ["\ud800", "\x00\x1b", 10**400, 1e-320, ""]
    lab.send(value=value)
    lab.serve("returns")
    assert lab.result() == value


@pytest.mark.parametrize("ended", [False, True])
def test_another_job_of_the_same_id_is_set_aside(lab: Lab, ended: bool) -> None:
    """It neither resumes the first one's state nor gets its result, and the first one's record stays as it is."""
    lab.send(steps=4, save_at=2, gate_after=2)
    lab.worker()
    record = lab.saved()
    if ended:
        lab.open("count")
        record = lab.is_in(State.DONE)
        lab.drained()
    else:
        lab.worker()
    lab.send_body('{"job_id": "job", "steps": 5}', group="other-group")
    [letter] = lab.letters(1)
    assert letter.reason == "job_id job is taken by a job with other fields. Try: another job_id"
    assert lab.record() == record
