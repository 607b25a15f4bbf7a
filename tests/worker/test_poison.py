"""Odd messages that are jobs all the same, and another job's id; `tests/bad_input` has those that are no jobs."""

from __future__ import annotations

import pytest

from lrtkit.wire.record import State
from tests.worker.lab import Lab


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
