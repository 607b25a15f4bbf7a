"""Invariants of the work between beginning and end: fenced, never going back, never lost, and all of it stored."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from typing import Any

from tests.simulation.evidence import PEOPLE, SLACK_S, Breaches, Evidence, Stretch, Write
from tests.simulation.scenario import HOUR_S


def fence(found: Evidence) -> Breaches:
    """Invariant 3: no write of an older generation is visible after a newer one."""
    for job_id, writes in found.writes.items():
        owners: dict[int, str] = {}
        for before, write in itertools.pairwise([None, *writes]):
            if before and write and write.generation < before.generation:
                yield f"{job_id}: {write.who} wrote generation {write.generation} over {before.generation}"
            if write and not write.who.startswith(PEOPLE):
                owner = owners.setdefault(write.generation, write.who)
                if owner != write.who:
                    yield f"{job_id}: {write.who} wrote under generation {write.generation}, which {owner} has"
        yield from _too_long_beside(found, job_id)
    for event in found.history.of("put_object"):
        job_id, _, name = event.facts["Key"].rpartition("/")
        if name == "result.txt" and "ETag" in event.facts and not _is_done(found.writes[job_id], event.at):
            yield f"{job_id}: {event.who} published a result that is not committed"


def files_are_there(found: Evidence) -> Breaches:
    """Contract 3: whenever a record is written, the bucket has every file that it names, with the right content."""
    stored: dict[str, str] = {}
    for event in found.history.of("upload_file", "put_object", "delete_object"):
        key = event.facts["Key"]
        job_id, _, name = key.rpartition("/")
        if "error" in event.facts or job_id in found.damaged:
            continue
        if event.what == "delete_object":
            stored.pop(key, None)
        elif name != "checkpoint.json":
            stored[key] = event.facts["sha256"]
        else:
            for sha256 in _named(json.loads(event.facts["Body"])["_lrt"]):
                if stored.get(f"{job_id}/files/{sha256}") != sha256:
                    yield f"{job_id}: {event.who} wrote a record of a file that the bucket has not: {sha256}"


def _named(envelope: Mapping[str, Any]) -> set[str]:
    """Return the hashes of all files of a record."""
    saved = [envelope, envelope["previous"] or {}]
    files = [file for each in saved for file in each.get("files", {}).values()]
    files += [each["state_file"] for each in saved if each.get("state_file")]
    return {file["sha256"] for file in [*files, *filter(None, [envelope["result_file"]])]}


def steps_never_go_back(found: Evidence) -> Breaches:
    """Invariant 4: the step of committed checkpoints never goes back (unless storage itself lost one)."""
    for job_id, writes in found.writes.items():
        if job_id in found.damaged:
            continue
        for before, after in itertools.pairwise(writes):
            if before.step is not None and (after.step is None or after.step < before.step):
                yield f"{job_id}: {after.who} put step {after.step} in the place of step {before.step}"


def lost_work(found: Evidence) -> Breaches:
    """Invariant 5: lost work per interruption <= checkpoint interval + upload + one step; a hand-over loses none."""
    for job_id, stretches in found.stretches.items():
        for before, after in itertools.pairwise(stretches):
            if job_id in found.damaged or after.began < before.ended:
                continue
            lost_s = before.ended - _reached(found, job_id, before, after.first_step)
            allowed_s = _interval_s(found) + found.jobs[job_id]["step_s"] + SLACK_S
            if lost_s > allowed_s and not found.in_trouble(before.who, before.ended - lost_s - 1, before.ended - 0.5):
                yield f"{job_id}: {lost_s:.0f} s of work on {before.who} were lost, and {allowed_s:.0f} s may be"
        yield from _hand_overs(found, job_id, stretches)


def _is_done(writes: list[Write], at: float) -> bool:
    states = [write.state for write in writes if write.at <= at]
    return bool(states) and states[-1] == "done"


def _interval_s(found: Evidence) -> float:
    """Return the longest time between saves: as set, or by the formula of the design with the longest mean time."""
    fixed = found.scenario.settings.checkpoint_s
    return fixed if fixed is not None else math.sqrt(0.2 * (21 * HOUR_S + found.outcome.worked_s))


def _reached(found: Evidence, job_id: str, stretch: Stretch, step: int) -> float:
    """Return when a stretch of work had come to a step with a checkpoint; its beginning where it never had."""
    times = [
        event.at
        for event in found.work[job_id]
        if event.what == "checkpoint" and event.who == stretch.who and event.facts["step"] == step
    ]
    return max([stretch.began, *(at for at in times if stretch.began <= at <= stretch.ended)])


def _hand_overs(found: Evidence, job_id: str, stretches: list[Stretch]) -> Breaches:
    ends = [(write.at, write.envelope["attempts"][-1:]) for write in found.writes[job_id]]
    at = [at for at, attempts in ends if attempts and attempts[0]["cause"] == "hand-over"]
    for before, after in itertools.pairwise(stretches):
        was_handed = any(before.ended <= each <= after.began for each in at)
        if was_handed and before.last_step is not None and after.first_step < before.last_step:
            yield f"{job_id}: a hand-over at step {before.last_step} went on at step {after.first_step}"


def _too_long_beside(found: Evidence, job_id: str) -> Breaches:
    """Find a workload that ran on beside that of a newer holder for longer than a lost lease takes to be noticed."""
    settings = found.scenario.settings
    for older, newer in itertools.pairwise(found.stretches.get(job_id, [])):
        beside_s = min(older.ended, newer.ended) - newer.began
        if beside_s > settings.lease_s + settings.grace_s + SLACK_S:
            yield f"{job_id}: {older.who} worked for {beside_s:.0f} s beside {newer.who}"
