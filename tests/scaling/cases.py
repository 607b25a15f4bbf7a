"""Snapshots and histories to decide about, and what hypothesis makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from lrtkit.scaling import Action, Decision, Outcome, Policy, Snapshot, Step

STATUSES = ["pending", "deploying", "running", "stopped", "succeeded", "failed", "something new"]
UP = ["deploying", "running"]
COUNTS = st.integers(0, 600)


def snapshot(waiting: int = 0, in_flight: int = 0, *, replicas: int = 0, status: str = "running", **more) -> Snapshot:
    return Snapshot(waiting, in_flight, 0, replicas, status, **more)


def step(seen: Snapshot, action: Action = Action.NOTHING, *, outcome: Outcome = Outcome.DONE) -> Step:
    return Step(seen, Decision(seen.replicas, action, ("because",)), outcome)


def steps(seen: Sequence[Snapshot]) -> list[Step]:
    return [step(each) for each in seen]


@st.composite
def snapshots(
    draw: st.DrawFn, *, jobs: st.SearchStrategy[int] = COUNTS, statuses: Sequence[str] = STATUSES
) -> Snapshot:
    replicas = draw(st.integers(0, 500))
    running = draw(st.integers(0, replicas))
    return Snapshot(
        waiting=draw(jobs),
        in_flight=draw(jobs),
        delayed=draw(jobs),
        replicas=replicas,
        status=draw(st.sampled_from(statuses)),
        at=draw(st.floats(0, 86_400 * 7)),
        running=running,
        coming=replicas - running,
        at_work=draw(st.integers(0, running)),
        lease_s=draw(st.floats(1, 600)),
        quota_left=draw(st.none() | st.integers(-10, 500)),
        usd_per_hour=draw(st.none() | st.floats(0.01, 2)),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    bounds = sorted(draw(st.tuples(st.integers(0, 500), st.integers(0, 500))))
    job_s = draw(st.none() | st.floats(10, 1e5))
    return Policy(
        min_replicas=bounds[0],
        max_replicas=bounds[1],
        jobs_per_replica=draw(st.floats(0.1, 20)),
        cool_down_s=draw(st.floats(0, 3000)),
        step_limit=draw(st.integers(1, 500)),
        job_s=job_s,
        heed_quota=draw(st.booleans()),
        max_usd_per_hour=draw(st.none() | st.floats(0, 100)),
        finish_by=draw(st.none() | st.floats(0, 1e6)) if job_s else None,
        hours=draw(st.none() | st.tuples(st.integers(0, 24), st.integers(0, 24)).filter(lambda two: two[0] != two[1])),
    )
