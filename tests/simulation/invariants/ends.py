"""Invariants of how jobs end: none is lost, each ends once, in time, and for good."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.simulation.chain import answer
from tests.simulation.evidence import FINAL, PEOPLE, SLACK_S, Breaches, Evidence, Write, is_letter
from tests.simulation.history import Event
from tests.simulation.scenario import HOUR_S


def no_loss(found: Evidence) -> Breaches:
    """Invariant 1: every accepted job ends in exactly one of done, failed, cancelled, or is still queued."""
    accepted = {group for event in found.history.of("send_message_batch") for group in _taken(event)}
    for job_id in sorted(accepted):
        record = found.records.get(job_id)
        if record is None or record["state"] not in FINAL:
            still_queued = found.outcome.queued > 0
            if not still_queued:
                yield f"{job_id} was accepted, has not ended and is not queued"
        elif (record["state"] == "done") != (f"{job_id}/result.txt" in found.outcome.objects):
            yield f"{job_id} is {record['state']}, which its result belies"
    letters = {event.facts["MessageBody"] for event in found.history.of("send_message") if is_letter(event)}
    for event in found.history.of("send_message"):
        body, attributes = event.facts["MessageBody"], event.facts.get("MessageAttributes", {})
        if found.is_foreign(body, attributes) and body not in letters and not found.outcome.queued:
            yield f"a message that is no job of ours was dropped without a word: {body}"


def one_commit(found: Evidence) -> Breaches:
    """Invariant 2: one commit per job; its value equals the uninterrupted run's."""
    for job_id, job in found.jobs.items():
        commits = [write for write in found.writes[job_id] if write.state == "done"]
        if len(commits) > 1:
            yield f"{job_id} was committed {len(commits)} times"
        values = [write.envelope["result"] for write in commits if not write.envelope["result_file"]]
        published = found.outcome.objects.get(f"{job_id}/result.txt")
        values += [_read(published)] if published is not None else []
        if any(value != answer(job) for value in values):
            yield f"{job_id} gave {str(values)[:80]}, and not {str(answer(job))[:80]}"
        if commits and not any(
            each.what == "ends" and each.facts["step"] == job["steps"] for each in found.work[job_id]
        ):
            yield f"{job_id} was committed, and no workload came to its end"


def everything_ends(found: Evidence) -> Breaches:
    """Invariant 7: after the last fault, everything ends within a bounded time."""
    for event in found.history.of("crashed"):
        if not event.who.startswith(PEOPLE) or not found.in_trouble(event.who, 0.0, event.at):
            yield f"{event.who} crashed: {event.facts['error']}"
    work_s = sum(job["steps"] * job["step_s"] for job in found.jobs.values())
    longest_s = max((job["steps"] * job["step_s"] for job in found.jobs.values()), default=0)
    last_s = max((event.at for event in found.history.of("FAULT")), default=0.0)
    last_s = max([last_s, *(errand.at for errand in found.scenario.errands)])
    allowed_s = 4 * longest_s + 2 * work_s / found.scenario.max_replicas + 12 * HOUR_S
    if not found.outcome.ended:
        yield f"after {found.outcome.seconds / HOUR_S:.0f} h there are {found.outcome.queued} messages left, " + (
            ", ".join(
                f"{job_id} {record['state']}"
                for job_id, record in found.records.items()
                if record["state"] not in FINAL
            )
        )
    elif found.outcome.seconds > last_s + allowed_s:
        yield f"the end came {(found.outcome.seconds - last_s) / HOUR_S:.1f} h after the last fault"


def same_set(found: Evidence) -> Breaches:
    """Invariant 8: submitting twice, or again after a crash half-way, gives the same set."""
    is_sure = False
    for event in found.history.of("send_message_batch", "errand submit"):
        if event.what == "errand submit":
            is_sure = True
        elif is_sure:
            yield f"{event.who} sent {len(event.facts['Entries'])} jobs again that the queue had taken"
        for group in _taken(event):
            if group not in found.jobs:
                yield f"{event.who} sent {group}, which is not in the table"
    missing = found.jobs.keys() - found.records.keys()
    if found.outcome.ended and missing:
        yield f"{', '.join(sorted(missing))} were never sent"


def final_is_final(found: Evidence) -> Breaches:
    """Invariant 10: a terminal state never changes but by a redrive; of a cancel and a finish racing, one wins."""
    for job_id, writes in found.writes.items():
        for before, after in itertools.pairwise(writes):
            is_redrive = after.who.startswith("notebook-") and after.state == "waiting" and before.state != "done"
            if before.state in FINAL and not is_redrive:
                yield f"{job_id} was {before.state}, and {after.who} made it {after.state}"
            if after.envelope["cancel_requested_at"] and not before.envelope["cancel_requested_at"]:
                yield from _unheard(found, job_id, after)


def _read(published: bytes) -> Any:
    """Return a result, as text where it is torn."""
    try:
        return json.loads(published)
    except ValueError:
        return published.decode(errors="replace")


def _taken(event: Event) -> Iterator[str]:
    """Return the groups of the messages that the queue took."""
    refused = event.facts.get("refused")
    if refused is not None:
        for entry in event.facts["Entries"]:
            if entry["Id"] not in refused:
                yield entry["MessageGroupId"]


def _unheard(found: Evidence, job_id: str, asked: Write) -> Breaches:
    """Find a workload that ran on after its job was asked to stop."""
    settings = found.scenario.settings
    limit = asked.at + settings.lease_s / 4 + settings.grace_s + 2 * SLACK_S
    for stretch in found.stretches.get(job_id, []):
        is_at_work = stretch.began <= asked.at and stretch.ended > limit
        if is_at_work and not found.in_trouble(stretch.who, asked.at - settings.lease_s, limit):
            yield f"{job_id}: {stretch.who} worked on for {stretch.ended - asked.at:.0f} s after a cancel"
