"""From the bucket to one view a job: list, read what has changed, put together."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lrtkit import submissions
from lrtkit.progress.cache import Cache, Source
from lrtkit.progress.ranges import Ranges
from lrtkit.progress.view import JobState, View
from lrtkit.submissions import Line
from lrtkit.wire import keys
from lrtkit.wire.errors import DamagedFile
from lrtkit.wire.listing import Listed
from lrtkit.wire.record import Record

RANGE = 300
"""Jobs in a range of the first list: with a record, a result and a file each they nearly fill a page."""

FRESH_S = 60.0


@dataclass
class _Found:
    """The objects of a listing that tell of jobs; records and results by job."""

    records: dict[str, Listed] = field(default_factory=dict)
    results: dict[str, Listed] = field(default_factory=dict)
    lists: list[Listed] = field(default_factory=list)
    marks: dict[str, Listed] = field(default_factory=dict)


class Reader:
    """Reads the jobs of an experiment, or, without one, of the whole bucket.

    ``purged`` are what the last records of purged jobs show, which are no jobs any more.
    """

    def __init__(self, store: Source, experiment: str | None = None, *, now: Callable[[], float] | None = None) -> None:
        self._now = now
        self._cache = Cache(store)
        self._ranges = Ranges(store, f"{experiment}/" if experiment else "")
        self._submissions = Ranges(store, keys.submissions(experiment)) if experiment else None
        self.purged: dict[str, View] = {}
        self._last: list[View] = []
        self._looked_at = 0.0

    def views(self) -> list[View]:
        """Return a view of each job, in the order of their ids; the cost is the list, and a GET for each change."""
        self._foresee()
        found = _sorted(self._ranges.listed())
        read_at = self._now() if self._now else self._ranges.read_at
        views = self._submitted(found, read_at)
        records = self._cache.read(found.records.values(), _record, damaged=_is_reason)
        for job_id in found.records.keys() | found.results.keys():
            view = views.get(job_id) or View(job_id, read_at=read_at)
            views[job_id] = _with_objects(view, found, records)
        found_jobs = [views[job_id] for job_id in sorted(views)]
        self.purged = {view.job_id: view for view in found_jobs if view.record and view.record.purged_at}
        self._last = [view for view in found_jobs if view.job_id not in self.purged]
        self._looked_at = time.monotonic()
        return list(self._last)

    def oldest_s(self) -> float | None:
        """Return how long the oldest queued job has waited, where the bucket was looked at within the last minute."""
        since_s = time.monotonic() - self._looked_at
        waits = [view.read_at - view.sent_at for view in self._last if view.state is JobState.QUEUED and view.sent_at]
        return max(0.0, max(waits) + since_s) if waits and since_s < FRESH_S else None

    def values(self, views: Iterable[View]) -> dict[str, Any]:
        """Return the results of those jobs that are done, by their ids."""
        done = [view for view in views if view.state is JobState.DONE]
        elsewhere = [place for view in done if (place := _place(view))]
        read = self._cache.read(elsewhere, _value)
        values = {}
        for view in done:
            place = _place(view)
            if place is None:
                values[view.job_id] = view.record.result if view.record else None
            elif place.key in read:
                values[view.job_id] = read[place.key]
        return values

    def whole(self, views: Iterable[View]) -> list[View]:
        """Return the views with all fields of their jobs, those too that no message could carry."""
        given = list(views)
        bodies = self._cache.read([_body(view.job_id, view.body) for view in given if view.body], _fields)
        return [
            replace(view, fields=bodies.get(keys.body(view.job_id, view.body)) or view.fields) if view.body else view
            for view in given
        ]

    def _foresee(self) -> None:
        """Divide the first list by what was submitted."""
        if self._submissions:
            found = _sorted(self._submissions.listed())
            self._ranges.divide([keys.record(job_id) for job_id in sorted(self._submitted(found, 0.0))[RANGE::RANGE]])
            self._submissions = None

    def _submitted(self, found: _Found, read_at: float) -> dict[str, View]:
        """Return a view of every job that was submitted; one that is in several lists is sent if it was once."""
        views: dict[str, View] = {}
        read = self._cache.read(found.lists, _lines, damaged=_is_reason)
        for listed in found.lists:
            mark = found.marks.get(keys.sent(listed.key))
            told: dict[str, Any] = {"sent": True, "sent_at": mark.modified_at} if mark else {}
            for line in _intact(listed.key, read.get(listed.key, [])):
                before = views.get(line.job_id) or View(line.job_id, submitted_at=listed.modified_at, read_at=read_at)
                after = replace(before, fields=line.fields, submitted=line.fingerprint, body=line.body, **told)
                views[line.job_id] = after
        return views


def _sorted(listed: Iterable[Listed]) -> _Found:
    found = _Found()
    for item in listed:
        job_id = keys.job_of(item.key)
        if job_id:
            (found.results if item.key == keys.result(job_id) else found.records)[job_id] = item
        elif keys.is_submission(item.key):
            found.lists.append(item)
        elif item.key.endswith(keys.MARK_END):
            found.marks[item.key] = item
    return found


def _with_objects(view: View, found: _Found, records: Mapping[str, Record | str]) -> View:
    """Return a view with what the job's record and result tell."""
    listed, result = found.records.get(view.job_id), found.results.get(view.job_id)
    record = records.get(listed.key) if listed else None
    etag = result.etag if result else None
    if listed is None or record is None:
        return replace(view, result_etag=etag)
    if isinstance(record, str):
        return replace(view, result_etag=etag, damage=record)
    return replace(view, result_etag=etag, record=record, written_at=listed.modified_at)


def _record(body: bytes) -> Record | str:
    """Return the record, or why it is not readable."""
    try:
        return Record.from_bytes(body)
    except DamagedFile as error:
        return str(error)


def _is_reason(found: object) -> bool:
    """Tell whether in the place of what was to be read there is a reason why it cannot be."""
    return isinstance(found, str)


def _lines(body: bytes) -> list[Line] | str:
    """Return the jobs of a list, or why it is none."""
    try:
        return submissions.parse(body)
    except DamagedFile as error:
        return str(error)


def _intact(key: str, found: list[Line] | str) -> list[Line]:
    """Return the jobs of a list; raise DamagedFile where it is none, as jobs that nobody shows would be lost."""
    if isinstance(found, str):
        raise DamagedFile(
            f"{key} is not what was written there: {found}. "
            "Try: delete it, and submit the same table again, which runs no job twice"
        )
    return found


def _place(view: View) -> Listed | None:
    """Return where a done job's result is kept; None where the record itself has it."""
    record = view.record
    if record is None or record.is_guides:
        return Listed(keys.result(view.job_id), view.result_etag or "", 0, 0.0)
    if record.result_file is None:
        return None
    sha256 = record.result_file.sha256
    return Listed(keys.file(view.job_id, sha256), sha256, record.result_file.size, 0.0)


def _body(job_id: str, sha256: str) -> Listed:
    """Return where the body of a job lies that no message could carry."""
    return Listed(keys.body(job_id, sha256), sha256, 0, 0.0)


def _fields(body: bytes) -> Mapping[str, Any] | None:
    """Return the fields of a body; None of one that is damaged, of which a worker tells more."""
    with contextlib.suppress(ValueError, RecursionError):
        fields = json.loads(body)
        return fields if isinstance(fields, dict) else None
    return None


def _value(body: bytes) -> Any:
    """Return a result, which the guide may have as any text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
