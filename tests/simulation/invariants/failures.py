"""The invariant of failures: a job answers for its own only, and whatever is given up has its reason."""

from __future__ import annotations

import itertools

from tests.simulation.evidence import Breaches, Evidence, Write, is_letter, job_of
from tests.simulation.history import Event

SPOILED_S = 600.0
"""How long a second read of what seems damaged may take, with all its troubles."""


def interruptions_are_no_failures(found: Evidence) -> Breaches:
    """Invariant 6: interruptions never use up the failure budget; every dead letter has a reason."""
    for job_id, writes in found.writes.items():
        for before, write in itertools.pairwise([None, *writes]):
            if write and write.state == "failed" and not (before and before.state == "failed"):
                yield from _unearned(found, job_id, write)
            if before and write and write.envelope["counts"]["failures"] > before.envelope["counts"]["failures"]:
                yield from _undamaged(found, job_id, write)
    for letter in found.outcome.dead:
        job_id = str(job_of(letter["body"]))
        if not letter["attributes"].get("reason", {}).get("StringValue"):
            yield f"a dead letter of {job_id} has no reason"
        is_foreign = found.is_foreign(letter["body"], letter["attributes"])
        if not is_foreign and not any(write.state == "failed" for write in found.writes[job_id]):
            yield f"{job_id} has a dead letter, and never failed"
    letters = {job_of(event.facts["MessageBody"]) for event in found.history.of("send_message") if is_letter(event)}
    for job_id, record in found.records.items():
        if record["state"] == "failed" and job_id not in letters:
            yield f"{job_id} has failed, and there never was a dead letter of it"


def _unearned(found: Evidence, job_id: str, write: Write) -> Breaches:
    """Find that a job has failed without having done so itself often enough."""
    error, settings = write.envelope["error"], found.scenario.settings
    if not error or not error["message"]:
        yield f"{job_id} has failed without a reason"
        return
    reopened = max((each.at for each in found.writes[job_id] if each.at < write.at and _reopens(each)), default=0.0)
    work = [event for event in found.work[job_id] if reopened <= event.at <= write.at]
    fails = [event for event in work if event.what == "fails"]
    is_hopeless = any(event.facts["type"] == "InvalidJob" for event in fails)
    if error["type"] == "SilentTooOften":
        silent = [event for event in work if event.what == "starts"]
        if not fails and any(_is_unheard_end(event, work, found.jobs[job_id]["steps"]) for event in work):
            yield f"{job_id} was given up as silent, and came to its end"
        if len(silent) < settings.max_silent:
            yield f"{job_id} was given up as silent after {len(silent)} attempts"
    elif error["type"] == "DamagedFile":
        if job_id not in found.damaged:
            yield f"{job_id} was given up as damaged, and nothing of it is"
    elif len(fails) < settings.max_failures and not is_hopeless:
        yield f"{job_id} was given up after {len(fails)} failures: {error['type']}: {error['message']}"


def no_false_alarm(found: Evidence) -> Breaches:
    """Whoever looks is told of damage only where something is damaged, or two reads in a row were spoiled."""
    for event in found.history.of("errand failed"):
        is_alarm = event.facts["error"].startswith("DamagedFile")
        if is_alarm and not found.damaged and not _spoiled_twice(found, event.who, event.at):
            yield f"{event.who} was told of damage, and there is none: {event.facts['error']}"


def _spoiled_twice(found: Evidence, who: str, at: float) -> bool:
    return sum(at - SPOILED_S <= each <= at for each in found.spoiled[who]) > 1


def _undamaged(found: Evidence, job_id: str, write: Write) -> Breaches:
    """Find an attempt that failed for damage where there is none, but for one read that was spoiled on its way."""
    is_alarm = write.envelope["error"]["type"] == "DamagedFile"
    if is_alarm and job_id not in found.damaged and not _spoiled_twice(found, write.who, write.at):
        yield f"{job_id} failed on {write.who} as damaged, and nothing of it is"


def _is_unheard_end(event: Event, work: list[Event], steps: int) -> bool:
    """Tell whether a workload came to its end while nobody else had begun the job anew."""
    if event.what != "ends" or event.facts["step"] != steps:
        return False
    starts = [each for each in work if each.what == "starts" and each.at < event.at]
    return bool(starts) and starts[-1].who == event.who


def _reopens(write: Write) -> bool:
    return write.who.startswith("notebook-") and write.state == "waiting"
