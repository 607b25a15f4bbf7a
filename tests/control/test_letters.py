"""Dead letters, read again and again."""

from __future__ import annotations

import pandas as pd
import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.control import letters
from lrtkit.wire.errors import Unavailable
from lrtkit.wire.sqs import Message, Outgoing, SqsQueue, once
from tests.control.desk import Desk, job

WHY = {"reason": "the box is too small", "error_type": "ValueError", "failed_at": "2026-11-24T10:00:00.000Z"}


def bury(cloud: Cloud, name: str, *, mark: object = "", experiment: str = "exp", **fields: object) -> None:
    """Set a job's message aside as the worker does."""
    made = job(name, **fields)
    body = made.body.replace('"exp/', f'"{experiment}/')
    cloud.queue.send_dead(Outgoing(body, f"{experiment}/{name}", once(body, mark), WHY))


def test_letters_say_why_and_what(desk: Desk) -> None:
    """A row a letter: reason, time, where the job stands, and what it was."""
    bury(desk.cloud, "a", lr=0.5, reason="as a field")
    desk.put("a", "failed")
    row = desk.experiment.dead_letters().loc["exp/a"]
    assert row.dropna().to_dict() == {
        "reason": "the box is too small",
        "error_type": "ValueError",
        "failed_at": pd.Timestamp("2026-11-24 10:00", tz="UTC"),
        "state": "failed",
        "steps": 10,
        "lr": 0.5,
        "job.reason": "as a field",
    }


def test_what_is_no_job_is_shown_as_it_is(desk: Desk) -> None:
    """A body without a job_id, or with none that can be used, has no job but a text."""
    for body in ("oh no", '{"steps": 5}'):
        desk.cloud.queue.send_dead(Outgoing(body, "poison", once(body)))
    found = desk.experiment.dead_letters()
    assert found.index.isna().all()
    assert found["body"].tolist() == ["oh no", '{"steps": 5}']
    assert found["reason"].isna().all()


def test_no_letters(desk: Desk) -> None:
    """An empty frame has the columns that each full one has."""
    found = desk.experiment.dead_letters()
    assert list(found.columns) == ["reason", "error_type", "failed_at", "state", "body"]
    assert (len(found), found.index.name, str(found["failed_at"].dtype)) == (0, "job_id", "datetime64[us, UTC]")


def test_letters_of_others_are_not_ours(desk: Desk) -> None:
    """Two experiments on one queue see each their own."""
    bury(desk.cloud, "a")
    bury(desk.cloud, "b", experiment="exp2")
    assert desk.experiment.dead_letters().index.tolist() == ["exp/a"]
    assert Experiment("exp2", desk.cloud).dead_letters().index.tolist() == ["exp2/b"]


def test_reading_takes_nothing_away(desk: Desk) -> None:
    """More letters than one call carries, several of one job among them, are all there again at once."""
    for mark in range(3):
        bury(desk.cloud, "a", mark=mark)
    for number in range(25):
        bury(desk.cloud, f"j{number}")
    for _ in range(2):
        found = desk.experiment.dead_letters()
        assert len(found) == 28
        assert found.index.tolist().count("exp/a") == 3
    assert desk.cloud.queue.depth().dead == 28


class Flaky(SqsQueue):
    """A queue that answers once, and then no more."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud.settings.queue)
        self._answers = 1

    def receive_dead(self, *, hold_s: float, wait_s: int) -> list[Message]:
        """Receive, the first time."""
        if not self._answers:
            raise Unavailable("cannot receive")
        self._answers -= 1
        return super().receive_dead(hold_s=hold_s, wait_s=wait_s)


def test_a_reader_that_breaks_off_gives_back(desk: Desk) -> None:
    """What was taken before an error is there for the next reader at once."""
    for number in range(12):
        bury(desk.cloud, f"j{number}")
    with pytest.raises(Unavailable):
        letters.read(Flaky(desk.cloud))
    assert len(letters.read(desk.cloud.queue)) == 12


def test_chosen_letters_are_deleted(desk: Desk) -> None:
    """The others stay."""
    for number in range(12):
        bury(desk.cloud, f"j{number}")
    doomed = {letter.message_id for letter in letters.read(desk.cloud.queue) if letter.job_id != "exp/j3"}
    letters.delete(desk.cloud.queue, doomed)
    assert [letter.job_id for letter in letters.read(desk.cloud.queue)] == ["exp/j3"]
    letters.delete(desk.cloud.queue, set())
