"""The face: submit, look, wait, on a real queue and bucket."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lrtkit import BadTable, Experiment, submissions
from lrtkit.connection import Cloud, connect
from lrtkit.progress.audit import BrokenPromise
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput, Denied, LrtError, NotFinished, NotFound, Unavailable
from lrtkit.wire.job import parse
from lrtkit.wire.listing import Listed, Page
from lrtkit.wire.record import Cause, Failure, Holder, Record, State
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import Outgoing, SqsQueue

TABLE = pd.DataFrame({"name": [f"j{number:03}" for number in range(25)], "steps": range(10, 35), "lr": 0.5})


@pytest.fixture
def experiment(cloud: Cloud) -> Experiment:
    return Experiment("exp", cloud)


def bodies(cloud: Cloud) -> list[dict[str, Any]]:
    """Take every message from the queue, and return what the worker would read."""
    found: list[dict[str, Any]] = []
    while message := cloud.queue.receive(lease_s=30, wait_s=0, attempt_id=f"take-{len(found)}"):
        found.append(dict(parse(message.body).fields))
        cloud.queue.delete(message.receipt)
    return found


def lists(cloud: Cloud) -> list[str]:
    return [listed.key for listed in cloud.store.listed(keys.submissions("exp"))]


def record(cloud: Cloud, job_id: str, change: Callable[[Record], Record] = lambda record: record) -> None:
    """Leave the record of a worker that ran a job of TABLE."""
    row = TABLE[TABLE["name"] == job_id.removeprefix("exp/")].iloc[0]
    (job,) = (parse(f'{{"job_id": "{job_id}", "steps": {row["steps"]}, "lr": 0.5}}'),)
    claimed = Record(State.WAITING).claimed(
        Holder("w", "m"), fingerprint=job.fingerprint, steps=job.steps, now="2026-11-24T10:00:00.000Z"
    )
    cloud.store.put(keys.record(job_id), change(claimed).to_bytes())


def done(record: Record) -> Record:
    return record.done(1, {}, now="2026-11-24T10:00:01.000Z")


class Breaking(SqsQueue):
    """A queue that raises after some batches."""

    def __init__(self, cloud: Cloud, batches: int, error: BaseException) -> None:
        super().__init__(cloud.settings.queue)
        self._left = batches
        self._error = error
        self._lock = threading.Lock()

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Send, as long as batches are left."""
        with self._lock:
            if self._left == 0:
                raise self._error
            self._left -= 1
            return super().send_batch(messages)


def test_a_table_becomes_messages(experiment: Experiment, cloud: Cloud) -> None:
    """Every row is in the queue as the worker reads it, and the frame says what happened to it."""
    outcome = experiment.submit(TABLE)
    assert outcome.index.tolist() == [f"exp/{name}" for name in TABLE["name"]]
    assert outcome.index.name == "job_id"
    assert set(map(tuple, outcome.to_numpy())) == {("sent", "queued")}
    found = {body["job_id"]: body for body in bodies(cloud)}
    assert len(found) == 25
    assert found["exp/j003"] == {"job_id": "exp/j003", "steps": 13, "lr": 0.5}


def test_what_was_submitted_is_written_down(experiment: Experiment, cloud: Cloud) -> None:
    """The bucket has a line a job, and the mark that all were sent."""
    experiment.submit(TABLE)
    listed, mark = lists(cloud)
    assert mark == keys.sent(listed)
    item = cloud.store.get(listed)
    assert item is not None
    lines = submissions.parse(item.body)
    assert [line.job_id for line in lines] == [f"exp/{name}" for name in TABLE["name"]]


def test_a_second_run_changes_nothing(experiment: Experiment, cloud: Cloud) -> None:
    """The same cell again, in this kernel or the next, sends nothing and writes nothing."""
    experiment.submit(TABLE)
    before = lists(cloud), cloud.queue.depth()
    for again in (experiment, Experiment("exp", cloud)):
        outcome = again.submit(TABLE)
        assert set(map(tuple, outcome.to_numpy())) == {("known", "queued")}
    assert (lists(cloud), cloud.queue.depth()) == before


def test_only_new_rows_are_sent(experiment: Experiment, cloud: Cloud) -> None:
    """A longer table adds its new rows."""
    experiment.submit(TABLE[:20])
    outcome = experiment.submit(TABLE)
    assert outcome["outcome"].tolist() == ["known"] * 20 + ["sent"] * 5
    assert cloud.queue.depth().waiting == 25


def test_jobs_that_a_worker_has_had_are_known(experiment: Experiment, cloud: Cloud) -> None:
    """Also without a submission, as when the list was deleted, a record tells that a job is under way or done."""
    record(cloud, "exp/j000")
    record(cloud, "exp/j001", done)
    outcome = experiment.submit(TABLE[:3])
    assert [tuple(row) for row in outcome.to_numpy()] == [("known", "running"), ("known", "done"), ("sent", "queued")]
    assert cloud.queue.depth().waiting == 1


@pytest.mark.parametrize("error", [Denied("the key has expired"), KeyboardInterrupt()])
@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_crash_half_way_is_healed_by_running_again(cloud: Cloud, batches: int, error: BaseException) -> None:
    """Wherever a submission ends, the next one brings every job into the queue, and none twice."""
    with pytest.raises(type(error)):
        Experiment("exp", replace(cloud, queue=Breaking(cloud, batches, error))).submit(TABLE)
    experiment = Experiment("exp", cloud)
    assert set(experiment.status()["state"]) == {"unsent"}
    assert set(experiment.submit(TABLE)["outcome"]) == {"sent"}
    assert set(experiment.status()["state"]) == {"queued"}
    assert sorted(body["job_id"] for body in bodies(cloud)) == [f"exp/{name}" for name in TABLE["name"]]
    assert set(experiment.submit(TABLE)["outcome"]) == {"known"}


def test_a_crash_says_how_far_it_came(cloud: Cloud) -> None:
    """The error keeps its class, and tells what to do."""
    broken = Experiment("exp", replace(cloud, queue=Breaking(cloud, 0, Denied("the key has expired"))))
    with pytest.raises(Denied) as caught:
        broken.submit(TABLE)
    assert str(caught.value) == (
        "0 of 25 jobs were sent, then: the key has expired. "
        "Try: submit the same table again, which sends only what is not known to be queued"
    )


def test_a_job_taken_before_the_crash_is_not_sent_again(cloud: Cloud) -> None:
    """What a worker has begun in the meantime needs no second message."""
    with pytest.raises(Denied):
        Experiment("exp", replace(cloud, queue=Breaking(cloud, 1, Denied("no")))).submit(TABLE)
    record(cloud, "exp/j000")
    outcome = Experiment("exp", cloud).submit(TABLE)
    assert list(outcome.loc["exp/j000"]) == ["known", "running"]
    assert set(outcome["outcome"].drop("exp/j000")) == {"sent"}


class Old(S3Store):
    """A bucket in which everything was written fifteen days ago, but for what is named in ``young``."""

    def __init__(self, cloud: Cloud, young: str = "nothing") -> None:
        super().__init__(cloud.settings.bucket)
        self._young = young

    def pages(self, prefix: str, after: Sequence[str]) -> list[Page]:
        """List what is there, with earlier times."""
        return [replace(page, found=list(map(self._aged, page.found))) for page in super().pages(prefix, after)]

    def _aged(self, found: Listed) -> Listed:
        age_s = 0 if self._young in found.key else 15 * 86_400
        return found._replace(modified_at=found.modified_at - age_s)


def test_diff_says_what_submit_would_do(experiment: Experiment, cloud: Cloud) -> None:
    """New rows and those of a crash would be sent, known ones not, and a changed one is a question; nothing is sent."""
    experiment.submit(TABLE[:6])
    with pytest.raises(Denied):
        Experiment("exp", replace(cloud, queue=Breaking(cloud, 0, Denied("no")))).submit(TABLE[:7])
    failure = Failure("E", "m")
    record(cloud, "exp/j001")
    record(cloud, "exp/j002", lambda record: record.interrupted(Cause.STOPPED, now="2026-11-24T10:00:00Z"))
    record(cloud, "exp/j003", done)
    record(cloud, "exp/j004", lambda record: record.failed(failure, final=True, now="2026-11-24T10:00:00Z"))
    record(cloud, "exp/j005", lambda record: record.cancelled(now="2026-11-24T10:00:00Z"))
    before = lists(cloud), cloud.queue.depth()
    diff = experiment.diff(TABLE[:9].assign(steps=[*range(10, 17), 18, 18]).drop(index=7))
    assert diff.astype(object).where(diff.notna(), None).reset_index().to_numpy().tolist() == [
        ["exp/j000", "none", "queued", None],
        ["exp/j001", "none", "running", None],
        ["exp/j002", "none", "interrupted", None],
        ["exp/j003", "none", "done", None],
        ["exp/j004", "none", "failed", None],
        ["exp/j005", "none", "cancelled", None],
        ["exp/j006", "send", "unsent", None],
        ["exp/j008", "send", "new", None],
    ]
    assert (lists(cloud), cloud.queue.depth()) == before
    changed = experiment.diff(TABLE[:2].assign(steps=[10, 12], lr=[0.25, 0.5], seed=1))
    assert changed.to_numpy().tolist() == [["ask", "changed", "lr, seed"], ["ask", "changed", "steps, seed"]]


def test_diff_of_a_bad_table(experiment: Experiment) -> None:
    """Faults are told as submit tells them."""
    with pytest.raises(BadTable, match="row 1, column steps: has no value"):
        experiment.diff(pd.DataFrame({"name": ["a", "b"], "steps": [1, None]}))


def test_what_has_expired_is_sent_again(experiment: Experiment, cloud: Cloud) -> None:
    """After 14 days without a sign the queue has dropped the message: that is told, and submit mends it, once."""
    experiment.submit(TABLE[:4])
    record(cloud, "exp/j001")
    record(cloud, "exp/j002", done)
    record(cloud, "exp/j003")
    bodies(cloud)
    old = Experiment("exp", replace(cloud, store=Old(cloud, young="j003")))
    states = ["expired", "expired", "done", "running"]
    assert old.diff(TABLE[:4])["state"].tolist() == old.status()["state"].tolist() == states
    assert old.diff(TABLE[:4])["action"].tolist() == ["send", "send", "none", "none"]
    with pytest.raises(BrokenPromise, match="exp/j000: its message has expired, and nobody will take it any more"):
        old.audit()
    assert old.submit(TABLE[:4])["outcome"].tolist() == ["sent", "sent", "known", "known"]
    mended = Experiment("exp", replace(cloud, store=Old(cloud, young=lists(cloud)[-1])))
    assert set(mended.submit(TABLE[:3])["outcome"]) == {"known"}


def test_nothing_is_sent_of_a_bad_table(experiment: Experiment, cloud: Cloud) -> None:
    """One bad row holds back all of them, and leaves no trace."""
    with pytest.raises(BadTable, match="row 1, column steps: has no value"):
        experiment.submit(pd.DataFrame({"name": ["a", "b"], "steps": [1, None]}))
    assert (lists(cloud), cloud.queue.depth().waiting) == ([], 0)


def test_a_changed_row_is_a_question(experiment: Experiment, cloud: Cloud) -> None:
    """A known name with other values is neither sent nor taken for the old job."""
    experiment.submit(TABLE)
    with pytest.raises(BadTable) as caught:
        experiment.submit(TABLE.assign(lr=[0.5] * 24 + [0.25]))
    assert str(caught.value).splitlines()[1:] == [
        "  row 24, column lr: was 0.5 when submitted and is 0.25, and exp/j024 is queued. "
        "Try: another job_id for the changed job"
    ]


def test_the_guides_table(experiment: Experiment, cloud: Cloud, tmp_path: Path) -> None:
    """A CSV of the guide's shape goes in by its path, its numbers as numbers."""
    (tmp_path / "jobs.csv").write_text("job_id,steps\njob-1,10\njob-2,20\n")
    experiment.submit(tmp_path / "jobs.csv")
    assert bodies(cloud) == [{"job_id": "exp/job-1", "steps": 10}, {"job_id": "exp/job-2", "steps": 20}]


def test_a_table_without_names_is_the_same_again(experiment: Experiment, cloud: Cloud) -> None:
    """Rows that only their values tell apart are known by them."""
    rows = [{"steps": steps} for steps in (1, 2, 3)]
    assert experiment.submit(iter(rows))["outcome"].tolist() == ["sent"] * 3
    assert experiment.submit(pd.DataFrame(rows[::-1]))["outcome"].tolist() == ["known"] * 3


def test_two_researchers_on_one_queue(cloud: Cloud) -> None:
    """Experiments of different names do not see each other's jobs."""
    mine, yours = Experiment("exp", cloud), Experiment("exp2", cloud)
    mine.submit(TABLE[:2])
    yours.submit(TABLE[:3])
    assert (len(mine.status()), len(yours.status())) == (2, 3)
    assert mine.depth()["waiting"].tolist() == [5]


def test_two_researchers_on_one_experiment(cloud: Cloud, env_file: Path) -> None:
    """Of one name and one bucket it is one set of jobs: neither sends what the other has sent, and both see all."""
    mine, yours = Experiment("exp", cloud), Experiment("exp", connect(env_file))
    mine.submit(TABLE[:3])
    assert yours.submit(TABLE[1:5])["outcome"].tolist() == ["known", "known", "sent", "sent"]
    assert mine.submit(TABLE[:5])["outcome"].tolist() == ["known"] * 5
    assert cloud.queue.depth().waiting == 5
    yours.cancel("j001")
    pd.testing.assert_frame_equal(mine.status().drop(columns="age"), yours.status().drop(columns="age"))


def test_after_a_restart_of_the_kernel(cloud: Cloud, env_file: Path) -> None:
    """A fresh experiment shows what the old one showed, and does what it would have done."""
    old = Experiment("exp", cloud)
    old.submit(TABLE[:4])
    assert list(ends(cloud, ["exp/j000", "exp/j002"]))
    fresh = Experiment("exp", connect(env_file))
    pd.testing.assert_frame_equal(fresh.results(), old.results())
    pd.testing.assert_frame_equal(fresh.status().drop(columns="age"), old.status().drop(columns="age"))
    assert fresh.submit(TABLE[:5])["outcome"].tolist() == ["known"] * 4 + ["sent"]


def test_parameters_of_results_go_in_again(experiment: Experiment) -> None:
    """The ids in the index of a frame of the kit are taken as they are."""
    experiment.submit(TABLE)
    assert set(experiment.submit(experiment.results()[["steps", "lr"]])["outcome"]) == {"known"}


def test_depth_has_a_past(experiment: Experiment) -> None:
    """Each look adds a reading to the ones before, in the order of time."""
    experiment.depth()
    experiment.submit(TABLE)
    depth = experiment.depth()
    assert depth["waiting"].tolist() == [0, 25]
    assert list(depth.columns) == ["waiting", "in_flight", "delayed", "dead", "oldest"]
    assert depth.index.name == "at"
    assert depth.index.is_monotonic_increasing
    assert isinstance(depth.index, pd.DatetimeIndex)
    assert str(depth.index.tz) == "UTC"


def test_attempts_and_results_of_an_experiment(experiment: Experiment, cloud: Cloud) -> None:
    """The three frames tell of the same jobs."""
    experiment.submit(TABLE[:2])
    record(cloud, "exp/j001", done)
    assert experiment.attempts()["job_id"].tolist() == ["exp/j001"]
    results = experiment.results()
    assert results.loc["exp/j001"].to_dict() == {"steps": 11, "lr": 0.5, "result": 1}
    assert results["result"].isna().tolist() == [True, False]


def ends(cloud: Cloud, job_ids: Sequence[str]) -> Iterator[str]:
    for job_id in job_ids:
        record(cloud, job_id, done)
        yield job_id


class Moving(S3Store):
    """A bucket in which one more job has ended at each look, and which is sometimes away."""

    def __init__(self, cloud: Cloud, job_ids: Sequence[str], away: int = 0) -> None:
        super().__init__(cloud.settings.bucket)
        self._ends = ends(cloud, job_ids)
        self._looks = 0
        self._away = away

    def pages(self, prefix: str, after: Sequence[str]) -> list[Page]:
        """Let a job end, then list."""
        self._looks += 1
        if self._looks == self._away:
            raise Unavailable("cannot list the bucket")
        next(self._ends, None)
        return super().pages(prefix, after)


@pytest.mark.parametrize("away", [0, 3])
def test_wait_ends_with_the_last_job(experiment: Experiment, cloud: Cloud, away: int) -> None:
    """Waiting shows how many jobs have ended, outlives a bucket that is away for a moment, and returns the status."""
    experiment.submit(TABLE[:4])
    moving = Experiment("exp", replace(cloud, store=Moving(cloud, [f"exp/j{n:03}" for n in range(4)], away)))
    shown = io.StringIO()
    with redirect_stderr(shown):
        status = moving.wait(20, every_s=0.01)
    assert status["state"].tolist() == ["done"] * 4
    assert "exp: 100%" in shown.getvalue()
    assert "4/4" in shown.getvalue()


def test_wait_that_takes_too_long(experiment: Experiment, cloud: Cloud) -> None:
    """The end of patience is an error that says what has not ended."""
    experiment.submit(TABLE[:3])
    record(cloud, "exp/j000")
    record(cloud, "exp/j001", lambda record: record.failed(Failure("E", "m"), final=True, now="2026-11-24T10:00:00Z"))
    with pytest.raises(NotFinished) as caught, redirect_stderr(io.StringIO()):
        experiment.wait(0.1, every_s=0.02)
    assert isinstance(caught.value, TimeoutError)
    assert str(caught.value) == (
        "after 0.1 s these jobs have not ended: 1 queued, 1 running. Try: wait longer, or look at status()"
    )


def test_wait_for_what_was_never_sent(cloud: Cloud) -> None:
    """Jobs of a submission that crashed would never end, and the error says what to do about them."""
    with pytest.raises(Denied):
        Experiment("exp", replace(cloud, queue=Breaking(cloud, 0, Denied("no")))).submit(TABLE)
    with pytest.raises(NotFinished, match=r"25 unsent\. Try: submit the table again"), redirect_stderr(io.StringIO()):
        Experiment("exp", cloud).wait(0, every_s=0.01)


def test_wait_for_what_has_expired(experiment: Experiment, cloud: Cloud) -> None:
    """A wait that could only last for ever ends at once."""
    experiment.submit(TABLE[:2])
    record(cloud, "exp/j001", done)
    old = Experiment("exp", replace(cloud, store=Old(cloud)))
    with pytest.raises(NotFinished) as caught, redirect_stderr(io.StringIO()):
        old.wait()
    assert str(caught.value) == "nobody will take these jobs any more: 1 expired. Try: submit the table again"


def test_wait_for_nothing(experiment: Experiment, cloud: Cloud) -> None:
    """A slip in the name does not look like success."""
    with pytest.raises(BadInput) as caught:
        experiment.wait()
    assert str(caught.value) == f"experiment exp has no jobs in bucket {cloud.store.bucket}. Try: submit some"


@pytest.mark.parametrize("call", [lambda exp: exp.submit(TABLE), Experiment.status, Experiment.depth])
def test_the_first_call_says_what_is_missing(bare_cloud: Cloud, call: Callable[[Experiment], object]) -> None:
    """Whatever is called first, a queue that does not exist is told with what makes it."""
    with pytest.raises(NotFound, match=r"there is no queue jobs-.*\.fifo at .* Try: lrtkit\.queues\.make\(cloud\)"):
        call(Experiment("exp", bare_cloud))


def test_repr_is_one_line(bare_cloud: Cloud) -> None:
    """A notebook shows what an experiment is without a call over the network."""
    experiment = Experiment("exp", bare_cloud)
    assert repr(experiment) == f"<Experiment exp: queue {bare_cloud.queue.name}, bucket {bare_cloud.store.bucket}>"
    shown = experiment._repr_html_()
    assert "Experiment exp" in shown
    assert bare_cloud.queue.url in shown


@pytest.mark.parametrize("name", ["", "a/b", "_lrt", "files", "a b", ".", "x" * 129])
def test_names_that_cannot_begin_an_id(bare_cloud: Cloud, name: str) -> None:
    """A name is refused before anything is submitted under it."""
    with pytest.raises(BadInput, match=r"cannot be called .* Try: letters, digits and \. _ = - as in 'argon'"):
        Experiment(name, bare_cloud)
