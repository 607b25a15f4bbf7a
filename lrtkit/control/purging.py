"""An experiment removed for good: what would go is told first, and nothing of it rises from the dead.

A message cannot be taken out of a queue that others use too, and the queue keeps it for 14 days. A
worker that took one of a job without a record would run that job anew. So a purge first puts, by
compare-and-swap, a last record in the place of each job of which a message may be left, which says that
the job was purged; whoever takes the message lets it go, and a worker that still held the job is fenced
off. Then everything else is deleted, the lists of what was submitted last, so that a purge that breaks
off half-way can be repeated.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import pandas as pd

from lrtkit.control import records
from lrtkit.control.choice import shown
from lrtkit.progress import JobState, View
from lrtkit.wire import keys, parallel
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import BadInput
from lrtkit.wire.listing import Listed
from lrtkit.wire.record import Record, State
from lrtkit.wire.s3 import Store
from lrtkit.wire.sqs import RETENTION_S

THREADS = 32

KEPT_S = 2 * RETENTION_S
"""How long a message may live on: a worker renews one that grows old before it looks at the record."""

_KINDS = {"/_submissions/": "submissions", "/files/": "files", "/artifacts/": "artifacts"}
_ENDS = {keys.RECORD_NAME: "records", keys.RESULT_NAME: "results"}


@dataclass(frozen=True, repr=False)
class Purge:
    """What a purge would remove or has removed: ``text`` in a sentence, ``frame`` with a row a kind of objects."""

    text: str
    frame: pd.DataFrame

    def __repr__(self) -> str:
        return f"{self.text}\n{self.frame.to_string()}" if len(self.frame) else self.text

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>" + (self.frame.to_html() if len(self.frame) else "")


@dataclass(frozen=True)
class Estate:
    """All that an experiment has: its jobs, those purged before, its objects, and how many dead letters."""

    experiment: str
    views: Sequence[View]
    purged: Sequence[View]
    objects: Sequence[Listed]
    letters: int

    @property
    def removable(self) -> list[Listed]:
        """The objects but for the last records, whose time is not over."""
        kept = {keys.record(view.job_id) for view in self.purged if _may_have_message(view)}
        return [each for each in self.objects if each.key not in kept]


def foretold(estate: Estate) -> Purge:
    """Return what a purge would remove."""
    name, gone = estate.experiment, estate.removable
    if not (estate.views or gone or estate.letters):
        return Purge(f"There is nothing of {name} to be removed.", _frame(gone))
    states = Counter(view.state for view in estate.views)
    told = ", ".join(f"{states[state]:,} {state}" for state in JobState if states[state])
    jobs = f"{_count(len(estate.views), 'job')} ({told})" if told else "no jobs any more"
    return Purge(
        f"{name} has {jobs}: a purge removes {_objects(gone)} and {_count(estate.letters, 'dead letter')}, for good. "
        f"Nothing was done. Try: purge(confirm={name!r}), or from a shell --confirm {name}",
        _frame(gone),
    )


def check(estate: Estate, confirm: str) -> None:
    """Raise BadInput where the name is another one, or where a job runs that nobody has asked to stop."""
    if confirm != estate.experiment:
        raise BadInput(f"{confirm!r} is not {estate.experiment!r}; nothing was removed. Try: the experiment's own name")
    active = (view for view in estate.views if view.state is JobState.RUNNING)
    running = [view.job_id for view in active if view.record is None or view.record.is_guides or _runs(view.record)]
    if running:
        raise BadInput(f"{shown(running)}: running; nothing was removed. Try: cancel first, as cancel(status())")


def purge(store: Store, estate: Estate) -> Purge:
    """Remove everything, but for the jobs that have begun to run since they were looked at."""
    left = [job_id for job_id, is_over in _over(store, estate.views) if not is_over]
    found = replace(estate, objects=list(store.listed(f"{estate.experiment}/")))  # with what came until now
    buried = {keys.record(view.job_id) for view in estate.views if _may_have_message(view)}
    busy = tuple(f"{job_id}/" for job_id in left)
    gone = [each for each in found.removable if each.key not in buried and not each.key.startswith(busy)]
    lists = [each for each in gone if _kind(each.key) == "submissions"]
    _delete(store, [each.key for each in gone if _kind(each.key) != "submissions"])
    if left:
        raise BadInput(f"{shown(left)}: began to run meanwhile; all else was removed. Try: cancel, then purge again")
    _delete(store, [each.key for each in lists])
    gone = estate.removable  # as was foretold: of a record that stays, all that it told is gone
    text = f"{estate.experiment} is purged: {_objects(gone)} and {_count(estate.letters, 'dead letter')} removed."
    if buried:
        text += f" Of {_count(len(buried), 'job')} a small record stays, so that messages left in the queue are let go."
    return Purge(text, _frame(gone))


def revive(store: Store, fingerprints: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Make room for new jobs under the ids of purged ones; return, by id, what marks their messages as new ones.

    The queue would take a message like one of the last five minutes for the same.
    """
    made = parallel.each(lambda job: _revived(store, *job), fingerprints.items(), threads=THREADS, name="revive")
    return {
        job_id: (record.updated_at,) for job_id, record in zip(fingerprints, made, strict=True) if record.updated_at
    }


def _over(store: Store, views: Sequence[View]) -> list[tuple[str, bool]]:
    """Put a last record in the place of each job, and tell of each whether it is over."""
    over = parallel.each(lambda view: _bury(store, view), views, threads=THREADS, name="purge")
    return [(view.job_id, is_over) for view, is_over in zip(views, over, strict=True)]


def _bury(store: Store, view: View) -> bool:
    """Put the last record of a job in its place, where one is needed; tell whether the job is over."""
    if not _may_have_message(view):
        return True
    if view.damage:
        store.put(keys.record(view.job_id), _last(Record(State.WAITING, view.submitted)).to_bytes())
        return True

    def wish(found: Record | None) -> Record | None:
        record = found or Record(State.WAITING)
        is_over = view.state is JobState.EXPIRED or not _runs(record)
        return _last(replace(record, fingerprint=record.fingerprint or view.submitted)) if is_over else None

    record = records.change(store, view.job_id, wish)
    return record is not None and record.purged_at is not None


def _revived(store: Store, job_id: str, fingerprint: str) -> Record:
    def wish(found: Record | None) -> Record | None:
        if found is None or found.purged_at is None:
            return None
        former = tuple(each for each in found.former if each != fingerprint)
        generation, now = found.generation, iso(time.time())
        return Record(State.WAITING, fingerprint, generation=generation, updated_at=now, former=former)

    return records.change(store, job_id, wish) or Record(State.WAITING)


def _last(record: Record) -> Record:
    """Return what stays of a job: enough to let go of a message that may be left of it."""
    now = iso(time.time())
    former = [*record.former, *([record.fingerprint] if record.fingerprint else [])]
    return Record(
        State.CANCELLED,
        fingerprint=record.fingerprint,
        generation=record.generation,
        updated_at=now,
        purged_at=now,
        former=tuple(dict.fromkeys(former)),
    )


def _may_have_message(view: View) -> bool:
    return view.last_sign is None or view.read_at - view.last_sign <= KEPT_S


def _runs(record: Record) -> bool:
    """Tell whether somebody may hold a job who was not asked to stop; who was is fenced off by the last record."""
    return record.state is State.RUNNING and record.cancel_requested_at is None


def _delete(store: Store, doomed: Sequence[str]) -> None:
    parallel.each(lambda key: store.delete([key]), doomed, threads=THREADS, name="purge")


def _kind(key: str) -> str:
    by_place = (kind for part, kind in _KINDS.items() if part in key)
    return next(by_place, None) or _ENDS.get(key.rpartition("/")[2], "others")


def _frame(objects: Sequence[Listed]) -> pd.DataFrame:
    """Return a row a kind of objects: how many, and their bytes."""
    kinds = [_kind(each.key) for each in objects]
    frame = pd.DataFrame({"kind": kinds, "objects": 1, "bytes": [each.size for each in objects]})
    return frame.groupby("kind").sum().astype("int64")


def _objects(objects: Sequence[Listed]) -> str:
    return f"{_count(len(objects), 'object')} ({sum(each.size for each in objects) / 1e6:,.1f} MB)"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
