"""The eleven invariants of the design, each as a function that finds what breaks it.

They know nothing of the code: they read what lay in the bucket and who wrote it when, what the
queue took and gave, and what the workloads say they computed.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator

from tests.simulation.chain import answer
from tests.simulation.evidence import FINAL, PEOPLE, Evidence, Stretch, Write, job_of
from tests.simulation.history import Event

Breaches = Iterator[str]

SLACK_S = 5.0
"""What a few calls over an untroubled network take together."""

HOUR_S = 3600.0

CALLS_WAITING_H = 500
"""How many calls an hour a machine may make to a service that does not answer."""

AWAY = "service away"


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
    letters = {event.facts["MessageBody"] for event in found.history.of("send_message") if _is_letter(event)}
    for event in found.history.of("send_message"):
        body = event.facts["MessageBody"]
        if found.is_foreign(body) and body not in letters and not found.outcome.queued:
            yield f"a message that is no job of ours was dropped without a word: {body}"


def one_commit(found: Evidence) -> Breaches:
    """Invariant 2: one commit per job; its value equals the uninterrupted run's."""
    for job_id, job in found.jobs.items():
        commits = [write for write in found.writes[job_id] if write.state == "done"]
        if len(commits) > 1:
            yield f"{job_id} was committed {len(commits)} times"
        values = [write.envelope["result"] for write in commits]
        published = found.outcome.objects.get(f"{job_id}/result.txt")
        values += [json.loads(published)] if published is not None else []
        if any(value != answer(job) for value in values):
            yield f"{job_id} gave {values}, and not {answer(job)}"
        if commits and not any(
            each.what == "ends" and each.facts["step"] == job["steps"] for each in found.work[job_id]
        ):
            yield f"{job_id} was committed, and no workload came to its end"


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


def interruptions_are_no_failures(found: Evidence) -> Breaches:
    """Invariant 6: interruptions never use up the failure budget; every dead letter has a reason."""
    for job_id, writes in found.writes.items():
        for before, write in itertools.pairwise([None, *writes]):
            if write and write.state == "failed" and not (before and before.state == "failed"):
                yield from _unearned(found, job_id, write)
    for letter in found.outcome.dead:
        job_id = str(job_of(letter["body"]))
        if not letter["attributes"].get("reason", {}).get("StringValue"):
            yield f"a dead letter of {job_id} has no reason"
        if not found.is_foreign(letter["body"]) and not any(write.state == "failed" for write in found.writes[job_id]):
            yield f"{job_id} has a dead letter, and never failed"
    letters = {job_of(event.facts["MessageBody"]) for event in found.history.of("send_message") if _is_letter(event)}
    for job_id, record in found.records.items():
        if record["state"] == "failed" and job_id not in letters:
            yield f"{job_id} has failed, and there never was a dead letter of it"


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


def scaling(found: Evidence) -> Breaches:
    """Invariant 9: no busy replica goes while an idle one exists, the limits hold, and the end is zero."""
    for event in found.history.of("scaled"):
        if event.facts["replicas"] > found.scenario.max_replicas:
            yield f"{event.facts['replicas']} replicas were asked for, of {found.scenario.max_replicas} at the most"
    asked = list(found.history.of("scaled", "started"))
    for before, after in itertools.pairwise(asked):
        if (before.what, after.what) == ("started", "scaled") and after.at - before.at < 60:
            yield "the group was started before its number of replicas was set"
    for event in found.history.of("removed"):
        busy = _is_busy(found, event.facts["node"], event.at)
        kept = [name for name, _ in event.facts["kept"] if found.halted(name, 0.0) > event.at]
        idle = [name for name in kept if not _is_busy(found, name, event.at - 60, event.at)]
        if busy and idle:
            yield f"{event.facts['node']} was removed from its work, and {', '.join(idle)} had none"
    if found.outcome.ended and found.outcome.replicas:
        yield f"{found.outcome.replicas} replicas are left in the end"


def final_is_final(found: Evidence) -> Breaches:
    """Invariant 10: a terminal state never changes but by a redrive; of a cancel and a finish racing, one wins."""
    for job_id, writes in found.writes.items():
        for before, after in itertools.pairwise(writes):
            is_redrive = after.who.startswith("notebook-") and after.state == "waiting" and before.state != "done"
            if before.state in FINAL and not is_redrive:
                yield f"{job_id} was {before.state}, and {after.who} made it {after.state}"
            if after.envelope["cancel_requested_at"] and not before.envelope["cancel_requested_at"]:
                yield from _unheard(found, job_id, after)


def budget(found: Evidence) -> Breaches:
    """Invariant 11: at most one write a second to one key; API calls per job-hour stay in budget."""
    last: dict[str, tuple[str, float]] = {}
    for event in found.history.of("put_object"):
        key = event.facts["Key"]
        who, at = last.get(key, ("", -math.inf))
        is_own = who == event.who and not found.in_trouble(who, at - 60, event.at)
        if event.facts.get("error") == "TooManyRequests" and is_own:
            yield f"{who} wrote {key} twice within {event.at - at:.2f} s"
        if "ETag" in event.facts:
            last[key] = (event.who, event.at)
    yield from _impatience(found)
    calls = sum(event.what in _PAID and not event.who.startswith(PEOPLE) for event in found.history.events)
    stretches = [each for some in found.stretches.values() for each in some]
    hours = sum(each.ended - each.began for each in stretches) / HOUR_S
    hourly = 2 * 4 * HOUR_S / found.scenario.settings.lease_s + 5 * HOUR_S / _shortest_s(found)
    faults = sum(count for kind, count in found.history.faults.items() if kind != AWAY)
    allowed = 1.3 * hourly * hours + 40 * len(stretches) + 10 * faults + 200
    if calls > allowed:
        yield f"{calls} calls were made for {hours:.1f} hours of work in {len(stretches)} attempts, not {allowed:.0f}"


CHECKERS: dict[str, Callable[[Evidence], Breaches]] = {
    checker.__name__: checker
    for checker in (
        no_loss,
        one_commit,
        fence,
        steps_never_go_back,
        lost_work,
        interruptions_are_no_failures,
        everything_ends,
        same_set,
        scaling,
        final_is_final,
        budget,
    )
}

_PAID = frozenset({"change_message_visibility", "head_object", "put_object", "upload_file", "delete_object"})
"""The calls that come again and again while a job runs."""

_OWN_REASONS = frozenset({"SilentTooOften", "DamagedFile"})


def check(found: Evidence) -> Iterator[tuple[str, str]]:
    """Return every breach, with the name of the invariant."""
    for name, checker in CHECKERS.items():
        for breach in checker(found):
            yield name, breach


def _taken(event: Event) -> Iterator[str]:
    """Return the groups of the messages that the queue took."""
    refused = event.facts.get("refused")
    if refused is not None:
        for entry in event.facts["Entries"]:
            if entry["Id"] not in refused:
                yield entry["MessageGroupId"]


def _impatience(found: Evidence) -> Breaches:
    """Find workers that call a service that is away again and again without a pause."""
    away_h = sum(each.ends - each.begins for each in found.scenario.weather.outages) / HOUR_S
    calls = sum(event.facts["kind"] == AWAY and not event.who.startswith(PEOPLE) for event in found.history.of("FAULT"))
    allowed = CALLS_WAITING_H * found.scenario.max_replicas * away_h + 200
    if calls > allowed:
        yield f"{calls} calls were made to services that were away for {away_h:.1f} h, and {allowed:.0f} are enough"


def _is_letter(event: Event) -> bool:
    """Tell whether a message was sent to the dead letters."""
    return str(event.facts["QueueUrl"]).endswith("dead.fifo")


def _is_done(writes: list[Write], at: float) -> bool:
    states = [write.state for write in writes if write.at <= at]
    return bool(states) and states[-1] == "done"


def _interval_s(found: Evidence) -> float:
    """Return the longest time between saves: as set, or by the formula of the design with the longest mean time."""
    fixed = found.scenario.settings.checkpoint_s
    return fixed if fixed is not None else math.sqrt(0.2 * (21 * HOUR_S + found.outcome.worked_s))


def _shortest_s(found: Evidence) -> float:
    """Return a time between saves that is shorter than most."""
    return found.scenario.settings.checkpoint_s or 30.0


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


def _is_unheard_end(event: Event, work: list[Event], steps: int) -> bool:
    """Tell whether a workload came to its end while nobody else had begun the job anew."""
    if event.what != "ends" or event.facts["step"] != steps:
        return False
    starts = [each for each in work if each.what == "starts" and each.at < event.at]
    return bool(starts) and starts[-1].who == event.who


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


def _reopens(write: Write) -> bool:
    return write.who.startswith("notebook-") and write.state == "waiting"


def _too_long_beside(found: Evidence, job_id: str) -> Breaches:
    """Find a workload that ran on beside that of a newer holder for longer than a lost lease takes to be noticed."""
    settings = found.scenario.settings
    for older, newer in itertools.pairwise(found.stretches.get(job_id, [])):
        beside_s = min(older.ended, newer.ended) - newer.began
        if beside_s > settings.lease_s + settings.grace_s + SLACK_S:
            yield f"{job_id}: {older.who} worked for {beside_s:.0f} s beside {newer.who}"


def _unheard(found: Evidence, job_id: str, asked: Write) -> Breaches:
    """Find a workload that ran on after its job was asked to stop."""
    settings = found.scenario.settings
    limit = asked.at + settings.lease_s / 4 + settings.grace_s + 2 * SLACK_S
    for stretch in found.stretches.get(job_id, []):
        is_at_work = stretch.began <= asked.at and stretch.ended > limit
        if is_at_work and not found.in_trouble(stretch.who, asked.at - settings.lease_s, limit):
            yield f"{job_id}: {stretch.who} worked on for {stretch.ended - asked.at:.0f} s after a cancel"


def _is_busy(found: Evidence, node: str, since: float, until: float | None = None) -> bool:
    """Tell whether a workload ran on a node at any moment of a time."""
    until = since if until is None else until
    stretches = (each for some in found.stretches.values() for each in some)
    return any(each.who == node and each.began <= until and each.ended >= since for each in stretches)
