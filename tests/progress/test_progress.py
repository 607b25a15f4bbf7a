"""Progress as the bucket shows it, from submissions, records and the guide's own files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pandas as pd
import pytest

from lrtkit import submissions
from lrtkit.connection import Cloud
from lrtkit.progress import JobState, Progress, View
from lrtkit.wire import keys
from lrtkit.wire.clock import seconds_of
from lrtkit.wire.job import Job
from lrtkit.wire.listing import Page
from lrtkit.wire.record import Cause, Failure, Holder, Record, Saved, State, StoredFile
from lrtkit.wire.s3 import S3Store

T = TypeVar("T")

HOLDER = Holder("worker-1", "machine-a")
OTHER = Holder("worker-2", "machine-b")


def at(second: int) -> str:
    return f"2026-11-24T10:00:{second:02}.000Z"


def claimed(*, steps: int | None = 10, holder: Holder = HOLDER) -> Record:
    return Record(State.WAITING).claimed(holder, fingerprint="f", steps=steps, now=at(0))


def saved(step: int, second: int = 1) -> tuple[Saved, dict[str, str]]:
    return Saved({"step": step}, saved_at=at(second)), {"now": at(second)}


def put(cloud: Cloud, job_id: str, record: Record) -> None:
    cloud.store.put(keys.record(job_id), record.to_bytes())


def submit(cloud: Cloud, *made: dict[str, Any], sent: bool = True, experiment: str = "exp") -> None:
    lines = (submissions.Line(fields, Job(fields).fingerprint) for fields in made)
    key = submissions.announce(cloud.store, experiment, b"".join(line.written() for line in lines))
    if sent:
        submissions.confirm(cloud.store, key)


def run(record: Record, step: int, second: int = 1) -> Record:
    checkpoint, now = saved(step, second)
    return record.saved(checkpoint, **now)


RUNNING = run(claimed(), 4)
INTERRUPTED = RUNNING.interrupted(Cause.STOPPED, now=at(2))
FAILURE = Failure("ValueError", "the box is\n too   small", "Traceback …")
RECORDS = {
    "running": RUNNING,
    "interrupted": INTERRUPTED,
    "retried": RUNNING.failed(FAILURE, final=False, now=at(2)),
    "done": RUNNING.done({"energy": -1.5}, {}, now=at(3)),
    "failed": RUNNING.failed(FAILURE, final=True, now=at(2)),
    "cancelled": RUNNING.cancelled(now=at(2)),
}


def test_status_of_every_state(cloud: Cloud) -> None:
    """Each job is in the one state that its submission and record show."""
    submit(cloud, {"job_id": "exp/queued", "steps": 7})
    submit(cloud, {"job_id": "exp/unsent", "steps": 7}, sent=False)
    for name, record in RECORDS.items():
        put(cloud, f"exp/{name}", record)
    status = Progress(cloud.store, "exp").status()
    assert status["state"].to_dict() == {
        "exp/cancelled": "cancelled",
        "exp/done": "done",
        "exp/failed": "failed",
        "exp/interrupted": "interrupted",
        "exp/queued": "queued",
        "exp/retried": "interrupted",
        "exp/running": "running",
        "exp/unsent": "unsent",
    }
    assert status.index.name == "job_id"
    assert status.index.is_monotonic_increasing


def test_status_of_a_running_job(cloud: Cloud) -> None:
    """A row tells how far the job is, where, and what has happened to it."""
    put(cloud, "exp/a", run(INTERRUPTED.claimed(OTHER, fingerprint="f", steps=10, now=at(3)), 6, 5))
    row = Progress(cloud.store, "exp", now=lambda: seconds_of(at(8))).status().loc["exp/a"]
    assert row.drop("error").to_dict() == {
        "state": "running",
        "step": 6,
        "steps": 10,
        "progress": 0.6,
        "attempts": 2,
        "interruptions": 1,
        "causes": "1 stop signal",
        "failures": 0,
        "machine": "machine-b",
        "saved_at": pd.Timestamp("2026-11-24 10:00:05", tz="UTC"),
        "rate_per_s": 1.0,
        "time_left": pd.Timedelta("1s"),
        "age": pd.Timedelta("8s"),
    }
    assert pd.isna(row["error"])


def test_times_of_jobs_that_wait_or_have_ended(cloud: Cloud) -> None:
    """What waits has its time left at the last rate; an ended job's age stands still; the causes are told by number."""
    taken = [claimed()]
    for second in (2, 4, 6):
        taken.append(run(taken[-1], second, second).claimed(OTHER, fingerprint="f", steps=10, now=at(second + 1)))
    put(cloud, "exp/ended", RECORDS["done"])
    put(cloud, "exp/fresh", taken[-1].interrupted(Cause.HANDOVER, now=at(8)))
    status = Progress(cloud.store, "exp", now=lambda: seconds_of(at(59))).status()
    assert status["age"].dt.total_seconds().tolist() == [3, 59]
    assert pd.isna(status["time_left"]["exp/ended"])
    assert list(status.loc["exp/fresh", ["causes", "rate_per_s"]]) == ["3 node gone, 1 hand-over", 2.0]
    assert status["time_left"]["exp/fresh"] == pd.Timedelta("2s")


def test_a_done_job_has_made_all_its_steps(cloud: Cloud) -> None:
    """The last checkpoint may lie before the end; a done job is at its end all the same."""
    put(cloud, "exp/a", RECORDS["done"])
    row = Progress(cloud.store, "exp").status().loc["exp/a"]
    assert (row["step"], row["progress"]) == (10, 1.0)


def test_errors_are_short_and_go_with_success(cloud: Cloud) -> None:
    """The last error stands on one line while it matters, and no more once the job is done."""
    again = RECORDS["retried"].claimed(OTHER, fingerprint="f", steps=10, now=at(3))
    put(cloud, "exp/failed", RUNNING.failed(replace(FAILURE, message="x" * 500), final=True, now=at(2)))
    put(cloud, "exp/retried", again)
    put(cloud, "exp/well", again.done(1, {}, now=at(4)))
    error = Progress(cloud.store, "exp").status()["error"]
    assert error["exp/retried"] == "ValueError: the box is too small"
    assert len(error["exp/failed"]) == 120
    assert pd.isna(error["exp/well"])


def test_types_of_status() -> None:
    """An empty frame has the same columns and types as a full one."""

    class Empty(S3Store):
        def __init__(self) -> None:
            """Need no settings."""

        def pages(self, _: str, after: Sequence[str]) -> list[Page]:
            return [Page([], is_last=True, read_at=None) for _ in after]

    status = Progress(Empty(), "exp").status()
    assert status.dtypes.astype(str).to_dict() == {
        "state": "str",
        "step": "Int64",
        "steps": "Int64",
        "progress": "float64",
        "attempts": "int64",
        "interruptions": "int64",
        "causes": "str",
        "failures": "int64",
        "machine": "str",
        "saved_at": "datetime64[us, UTC]",
        "rate_per_s": "float64",
        "time_left": "timedelta64[s]",
        "age": "timedelta64[s]",
        "error": "str",
    }
    assert len(Progress(Empty()).attempts()) == len(Progress(Empty()).results()) == 0


def test_an_unreadable_record_is_a_failed_job(cloud: Cloud) -> None:
    """One broken object does not hide the other jobs."""
    cloud.store.put(keys.record("exp/broken"), b"{")
    put(cloud, "exp/running", RUNNING)
    status = Progress(cloud.store, "exp").status()
    assert status["state"].to_dict() == {"exp/broken": "failed", "exp/running": "running"}
    assert status["error"]["exp/broken"].startswith("the record is not readable: ")


def test_attempts_tell_who_ran_what_when(cloud: Cloud) -> None:
    """A row an attempt, with steps and cause; the last one of a done job reaches its last step."""
    second = run(INTERRUPTED.claimed(OTHER, fingerprint="f", steps=10, now=at(4)), 8, 5)
    put(cloud, "exp/a", second.done(None, {}, now=at(6)))
    put(cloud, "exp/b", RUNNING)
    attempts = Progress(cloud.store, "exp").attempts()
    shown = attempts.drop(columns=["started_at", "ended_at"]).astype(object).where(attempts.notna(), None)
    assert shown.to_dict("records") == [
        dict(zip(shown.columns, row, strict=True))
        for row in [
            ("exp/a", 1, "worker-1", "machine-a", None, 4, 10, "interrupted", "sigterm"),
            ("exp/a", 2, "worker-2", "machine-b", 4, 10, 10, "done", None),
            ("exp/b", 1, "worker-1", "machine-a", None, 4, 10, "running", None),
        ]
    ]
    assert attempts["started_at"].tolist() == [pd.Timestamp(at(second)) for second in (0, 4, 0)]
    assert attempts["ended_at"].tolist()[:2] == [pd.Timestamp(at(2)), pd.Timestamp(at(6))]
    assert attempts["ended_at"].isna().tolist() == [False, False, True]


def test_results_beside_parameters(cloud: Cloud) -> None:
    """Fields and the members of results are columns; whole numbers stay whole where others have no result yet."""
    submit(
        cloud,
        {"job_id": "exp/a", "steps": 10, "t": 0.5, "grid": [1, 2]},
        {"job_id": "exp/b", "steps": 20, "t": 1.0, "grid": [3]},
    )
    put(cloud, "exp/a", RUNNING.done({"energy": {"mean": -1.5, "error": 0.1}, "samples": 2**60 + 1}, {}, now=at(3)))
    put(cloud, "exp/b", INTERRUPTED)
    results = Progress(cloud.store, "exp").results()
    assert list(results.columns) == ["steps", "t", "grid", "energy.mean", "energy.error", "samples"]
    assert results.loc["exp/a"].to_dict() == {
        "steps": 10,
        "t": 0.5,
        "grid": [1, 2],
        "energy.mean": -1.5,
        "energy.error": 0.1,
        "samples": 2**60 + 1,
    }
    assert results.loc["exp/b", ["energy.mean", "energy.error", "samples"]].isna().all()
    assert results.dtypes.astype(str).to_dict() == {
        "steps": "int64",
        "t": "float64",
        "grid": "object",
        "energy.mean": "float64",
        "energy.error": "float64",
        "samples": "Int64",
    }


def test_a_result_that_is_named_like_a_field(cloud: Cloud) -> None:
    """Neither hides the other."""
    submit(cloud, {"job_id": "exp/a", "temperature": 1.0, "result": "x"}, {"job_id": "exp/b", "temperature": 1.0})
    put(cloud, "exp/a", RUNNING.done({"temperature": 1.01}, {}, now=at(3)))
    put(cloud, "exp/b", RUNNING.done(55, {}, now=at(3)))
    results = Progress(cloud.store, "exp").results()
    assert list(results.loc["exp/a", ["temperature", "result.temperature", "result"]]) == [1.0, 1.01, "x"]
    assert list(results.loc["exp/b", ["temperature", "result.result"]]) == [1.0, 55]


def test_members_of_a_result_that_have_one_name(cloud: Cloud) -> None:
    """Neither a path with a dot in a name nor the name of the index hides anything."""
    put(cloud, "exp/a", RUNNING.done({"p": {"mean": 1}, "p.mean": 2, "job_id": "x", "": 3}, {}, now=at(3)))
    row = Progress(cloud.store, "exp").results().reset_index().iloc[0]
    assert row[["job_id", "p.mean", "result.p.mean", "result.job_id"]].tolist() == ["exp/a", 1, 2, "x"]


def test_a_result_in_a_file_of_its_own(cloud: Cloud) -> None:
    """A result too large for the record is read from where the record says."""
    body = json.dumps(list(range(1000))).encode()
    sha256 = hashlib.sha256(body).hexdigest()
    cloud.store.put(keys.file("exp/a", sha256), body)
    put(cloud, "exp/a", RUNNING.done(None, {}, now=at(3), result_file=StoredFile(sha256, len(body))))
    assert Progress(cloud.store, "exp").results().loc["exp/a", "result"] == list(range(1000))


def test_the_guides_bucket(cloud: Cloud) -> None:
    """Checkpoints and results of the guide's worker are shown, without any submission or record of ours."""
    cloud.store.put("job-1/checkpoint.json", b'{"step": 3, "sum": 6}')
    cloud.store.put("job-2/checkpoint.json", b'{"step": 5, "sum": 15}')
    cloud.store.put("job-2/result.txt", b"15")
    cloud.store.put("job-3/result.txt", b"forty-two")
    progress = Progress(cloud.store)
    status = progress.status()
    assert status["state"].to_dict() == {"job-1": "running", "job-2": "done", "job-3": "done"}
    assert status["step"].fillna(-1).to_dict() == {"job-1": 3, "job-2": 5, "job-3": -1}
    assert status["progress"].fillna(-1).to_dict() == {"job-1": -1, "job-2": 1, "job-3": 1}
    assert abs(status["saved_at"]["job-1"] - pd.Timestamp.now("UTC")) < pd.Timedelta("1h")
    assert progress.results()["result"].to_dict() == {"job-1": None, "job-2": 15, "job-3": "forty-two"}
    assert progress.attempts().empty


def test_a_job_of_the_kit_that_the_guides_worker_ran(cloud: Cloud) -> None:
    """A submission and the guide's checkpoint are one job, with the steps that the submission tells."""
    submit(cloud, {"job_id": "exp/a", "steps": 4})
    cloud.store.put("exp/a/checkpoint.json", b'{"step": 3, "sum": 6}')
    row = Progress(cloud.store, "exp").status().loc["exp/a"]
    assert (row["state"], row["progress"]) == ("running", 0.75)


def test_files_and_artifacts_are_no_jobs(cloud: Cloud) -> None:
    """An artifact may be called like a record, and another experiment like the beginning of this one's name."""
    put(cloud, "exp/a", RECORDS["done"])
    cloud.store.put(keys.artifact("exp/a", 1, "checkpoint.json"), b"{}")
    cloud.store.put(keys.file("exp/a", "0" * 64), b"x")
    put(cloud, "exp-2/a", RUNNING)
    assert Progress(cloud.store, "exp").status().index.tolist() == ["exp/a"]
    assert Progress(cloud.store).status().index.tolist() == ["exp-2/a", "exp/a"]


def test_a_job_sent_in_one_of_several_submissions_is_sent(cloud: Cloud) -> None:
    """A submission that crashed before or after the one that went well does not hide it."""
    submit(cloud, {"job_id": "exp/a"}, sent=False)
    submit(cloud, {"job_id": "exp/a"})
    submit(cloud, {"job_id": "exp/a"}, sent=False)
    (view,) = Progress(cloud.store, "exp").views()
    assert (view.state, view.accepted) == (JobState.QUEUED, True)


class Counting(S3Store):
    """Counts what is read, and can make an object vanish between its listing and its reading."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud.settings.bucket)
        self.asked: list[str] = []
        self.vanished: set[str] = set()

    def read(self, keys: Sequence[str], make: Callable[[bytes], T]) -> dict[str, T]:
        """Return objects and remember that they were asked for."""
        self.asked += keys
        return super().read([key for key in keys if key not in self.vanished], make)


def test_a_refresh_reads_only_what_has_changed(cloud: Cloud) -> None:
    """Of a hundred jobs, three of which have moved, three are read again."""
    submit(cloud, *({"job_id": f"exp/{number}", "steps": 10} for number in range(120)))
    for number in range(100):
        put(cloud, f"exp/{number}", RUNNING)
    store = Counting(cloud)
    progress = Progress(store, "exp")
    progress.status()
    assert len(store.asked) == len(set(store.asked)) == 101
    store.asked.clear()
    progress.attempts()
    assert store.asked == []
    for number in (3, 50, 99):
        put(cloud, f"exp/{number}", run(RUNNING, 6, 3))
    status = progress.status()
    assert sorted(store.asked) == sorted(keys.record(f"exp/{number}") for number in (3, 50, 99))
    assert status["step"].dropna().value_counts().to_dict() == {4: 97, 6: 3}


def test_results_are_read_once(cloud: Cloud) -> None:
    """The results of the guide and those in files of their own are kept like records."""
    cloud.store.put("job-1/result.txt", b"15")
    store = Counting(cloud)
    progress = Progress(store)
    assert progress.results()["result"].tolist() == progress.results()["result"].tolist() == [15]
    assert store.asked == ["job-1/result.txt"]


def test_an_object_that_vanishes_while_it_is_read(cloud: Cloud) -> None:
    """A job that is deleted between listing and reading is no error."""
    put(cloud, "exp/a", RUNNING)
    put(cloud, "exp/b", RUNNING)
    store = Counting(cloud)
    progress = Progress(store, "exp")
    progress.status()
    put(cloud, "exp/b", INTERRUPTED)
    store.vanished.add(keys.record("exp/b"))
    assert "exp/a" in progress.status().index


@pytest.mark.parametrize("state", list(State))
def test_every_state_of_a_record_has_one_of_a_job(state: State) -> None:
    """No record can be in a state that status does not know, and final ones are final."""
    record = replace(RUNNING, state=state)
    assert View("exp/a", record=record).state.final == state.final
