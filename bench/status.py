"""How long status and results of many jobs take from far away, against the loop of one GET a job.

The bucket is one in memory, 50 ms away in each direction. Of the jobs every fourth runs and the
others are done, each after three attempts and with the objects that a worker leaves.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import boto3

from bench.bucket import filled
from bench.distance import distant
from bench.table import Row, at_most
from lrtkit import Progress
from lrtkit.wire import keys
from lrtkit.wire.clock import iso
from lrtkit.wire.job import Job
from lrtkit.wire.record import Cause, Holder, Record, Saved, State, StoredFile
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import Access, BucketSettings

JOBS = 10_000
CHANGED = 250
ROUNDS = 3
LOOPED = 50
"""Reads of the loop that are measured; it would take the better part of an hour to read them all."""

ACCESS = Access("KEYOFR2", "r2-secret")
BEGAN = 1_795_510_800.0


def measure() -> Iterator[Row]:
    """Read a bucket of many jobs for the first time, again after some have moved, and their results."""
    with filled(dict(_objects())) as near, distant(near) as far:
        firsts = [_timed(_progress(far).status) for _ in range(ROUNDS)]
        progress = _progress(far)
        progress.status()
        refreshes = [_timed(progress.status) for _ in _moved(near)]
        results = [_timed(progress.results) for _ in range(ROUNDS)]
        looped_s = _timed(lambda: _loop(far))[0] / LOOPED * JOBS
    words, meets = at_most(5)
    yield Row(f"first status() of {JOBS:,} jobs, 100 ms away", _walls(firsts), target=words, meets=meets)
    yield Row("  processor time of it", [busy for _, busy in firsts])
    words, meets = at_most(1.5)
    yield Row(f"status() again, {CHANGED} of them changed", _walls(refreshes), target=words, meets=meets)
    yield Row("  processor time of it", [busy for _, busy in refreshes])
    yield Row(f"results() of {JOBS:,} jobs", _walls(results))
    yield Row("one GET a job, one after the other", [looped_s])
    yield Row("  times as long as the first status()", [looped_s / each for each in _walls(firsts)], unit="x", digits=0)
    yield Row("  times as long as status() again", [looped_s / each for each in _walls(refreshes)], unit="x", digits=0)


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes, on the clock and on the processor."""
    began, began_busy = time.monotonic(), time.process_time()
    call()
    return time.monotonic() - began, time.process_time() - began_busy


def _walls(timed: Sequence[tuple[float, float]]) -> list[float]:
    return [wall for wall, _ in timed]


def _progress(url: str) -> Progress:
    return Progress(S3Store(BucketSettings("bench", url, ACCESS)), "bench")


def _moved(url: str) -> Iterator[None]:
    """Let some jobs save another checkpoint, before each round."""
    store = S3Store(BucketSettings("bench", url, ACCESS))
    for turn in range(ROUNDS):
        for number in range(CHANGED):
            job = _job(4 * number)
            store.put(keys.record(job.job_id), _record(job, step=801 + turn).to_bytes())
        yield


def _loop(url: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="auto",
        aws_access_key_id=ACCESS.key_id,
        aws_secret_access_key=ACCESS.secret,
    )
    for number in range(LOOPED):
        json.loads(client.get_object(Bucket="bench", Key=keys.record(_job(number).job_id))["Body"].read())


def _objects() -> Iterator[tuple[str, str]]:
    lines = []
    for number in range(JOBS):
        job = _job(number)
        record = _record(job, step=800)
        lines.append(json.dumps({"fingerprint": job.fingerprint, "job": job.fields}))
        if number % 4:
            record = record.done({"energy": -1.5, "pressure": {"mean": 0.1, "error": 0.01}}, {}, now=_at(3600))
            yield keys.result(job.job_id), json.dumps(record.result)
        else:
            yield keys.file(job.job_id, "a" * 64), ""
        yield keys.record(job.job_id), record.to_bytes().decode()
    submission = keys.submission("bench", _at(-60))
    yield submission, "\n".join(lines)
    yield keys.sent(submission), ""


def _job(number: int) -> Job:
    return Job({"job_id": f"bench/t{number % 100 / 100:.2f}-n{number:05}", "steps": 1000, "temperature": number % 100})


def _record(job: Job, *, step: int) -> Record:
    """Return the record of a job that was interrupted twice and runs, having saved two checkpoints each time."""
    record, now = Record(State.WAITING), map(_at, count(0, 300))
    for turn in range(3):
        holder = Holder(f"worker-{turn}-4c3d2e1f", f"machine-{turn}-9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d")
        if turn:
            record = record.interrupted(Cause.NODE_GONE, now=next(now))
        record = record.claimed(holder, fingerprint=job.fingerprint, steps=1000, now=next(now))
        for saved in (200 * turn + 100, step if turn == 2 else 200 * turn + 200):
            at = next(now)
            record = record.saved(Saved({"step": saved}, {"state.npz": StoredFile("a" * 64, 1000)}, at), now=at)
    return record


def _at(second: float) -> str:
    return iso(BEGAN + second)
