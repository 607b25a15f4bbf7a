"""Message bodies and job records as a worker finds them."""

from __future__ import annotations

import json
from typing import Any

from lrtkit.wire.job import fingerprint
from lrtkit.wire.record import Holder, Record, Saved, State
from tests.bad_input.table import Section

NOW = "2026-11-24T10:00:00.000Z"

MESSAGES = Section(
    "Messages",
    "Received by a worker: the reason of the dead letter, as `exp.dead_letters()` shows it. The worker goes on.",
    {
        "no JSON": "{job_id",
        "a blank": " ",
        "a quotation mark alone": '"',
        "half of a message": '{"job_id": "a", "ste',
        "two messages in one": '{"job_id": "a"} {"job_id": "b"}',
        "an env file": "job_id=a",
        "a page of HTML": "<html><body>Bad gateway</body></html>",
        "a list": '["job_id"]',
        "a number": "1",
        "null": "null",
        "no job_id": '{"steps": 1}',
        "null as id": '{"job_id": null}',
        "a number as id": '{"job_id": 7}',
        "an empty id": '{"job_id": ""}',
        "a way out of the folder": '{"job_id": "a/../b"}',
        "a root": '{"job_id": "/a"}',
        "129 characters": json.dumps({"job_id": "a" * 129}),
        "a line break in the id": '{"job_id": "a\\nb"}',
        "an umlaut in the id": '{"job_id": "möhre"}',
        "a lone surrogate in the id": '{"job_id": "a\\ud800"}',
        "NaN": '{"job_id": "a", "x": NaN}',
        "1e999": '{"job_id": "a", "x": 1e999}',
        "a whole number of 5,000 digits": f'{{"job_id": "a", "x": {"1" * 5000}}}',
        "a time-out that no float can hold": f'{{"job_id": "a", "timeout_seconds": {"1" * 400}}}',
        "200,000 levels": f'{{"job_id": "a", "x": {"[" * 200_000}{"]" * 200_000}}}',
    },
)


def _good() -> dict[str, Any]:
    claimed = Record(State.WAITING).claimed(
        Holder("worker", "machine"), fingerprint=fingerprint({"steps": 3}), steps=3, now=NOW
    )
    found: dict[str, Any] = json.loads(claimed.saved(Saved({"step": 1}, saved_at=NOW), now=NOW).to_bytes())
    return found


def with_envelope(**changes: Any) -> bytes:
    """Return a good record but for some fields of its envelope."""
    record = _good()
    return json.dumps({**record, "_lrt": {**record["_lrt"], **changes}}).encode()


def without(name: str) -> bytes:
    """Return a good record but for one field of its envelope, which is not there."""
    record = _good()
    del record["_lrt"][name]
    return json.dumps(record).encode()


def with_attempt(**changes: Any) -> bytes:
    """Return a good record but for some fields of its attempt."""
    (attempt,) = _good()["_lrt"]["attempts"]
    return with_envelope(attempts=[{**attempt, **changes}])


FILE = {"sha256": "f" * 64, "size": 3}

LINE = b'{"fingerprint":"f","job":{"job_id":"exp/a","steps":1}}\n'

LISTS = Section(
    "Lists of what was submitted",
    "`_submissions/….jsonl` in the bucket, read by `exp.status()` and all that looks where jobs stand: raised, "
    "for a job that nobody shows would be lost.",
    {
        "half of a line": LINE + LINE[:20],
        "an empty line": LINE + b"\n",
        "binary": b"\x93NUMPY\x01\x00\xff\xfe",
        "a page of HTML": b"<html><body>Bad gateway</body></html>",
        "a number": b"7\n",
        "a job that is a list": b'{"fingerprint":"f","job":[]}\n',
        "a job without an id": b'{"fingerprint":"f","job":{"steps":1}}\n',
        "an id that is a number": b'{"fingerprint":"f","job":{"job_id":5}}\n',
        "no fingerprint": LINE * 2 + b'{"job":{"job_id":"exp/a"}}\n',
        "100,000 levels": b"[" * 100_000,
    },
)

RECORDS = Section(
    "Job records",
    "`checkpoint.json` in the bucket, read by a worker: the reason of the dead letter, and in `exp.status()` the "
    "column `error`. Never taken for no checkpoint, and left as it is.",
    {
        "nothing": b"",
        "half of a record": with_envelope()[:200],
        "binary": b"\x93NUMPY\x01\x00\xff\xfe",
        "a page of HTML": b"<html><body>Bad gateway</body></html>",
        "a list": b"[1]",
        "null": b"null",
        "NaN in the state, as the guide's worker would write it": b'{"step": 1, "loss": NaN}',
        "1e999 in the state": b'{"step": 1e999}',
        "200 levels in the state": b'{"step": 1, "x": ' + b"[" * 200 + b"]" * 200 + b"}",
        "an envelope that is a number": b'{"step": 1, "_lrt": 5}',
        "an empty envelope": b'{"step": 1, "_lrt": {}}',
        "a version to come": with_envelope(version=2),
        "an unknown state": with_envelope(state="asleep"),
        "a state that is a list": with_envelope(state=["done"]),
        "no generation": without("generation"),
        "a generation below zero": with_envelope(generation=-1),
        "a generation as text": with_envelope(generation="1"),
        "a generation beyond 64 bits": with_envelope(generation=10**30),
        "a count below zero": with_envelope(counts={**_good()["_lrt"]["counts"], "failures": -1}),
        "a count that is true": with_envelope(counts={**_good()["_lrt"]["counts"], "failures": True}),
        "attempts that are an object": with_envelope(attempts={}),
        "an attempt without a worker": with_envelope(attempts=[{"generation": 1}]),
        "an attempt that began soon": with_attempt(started_at="soon"),
        "an attempt that began on 30 February": with_attempt(started_at="2026-02-30T10:00:00.000Z"),
        "a step as text": with_attempt(last_step="3"),
        "files that are a list": with_envelope(files=[]),
        "a file of a negative size": with_envelope(files={"model.pt": {**FILE, "size": -1}}),
        "a file without a hash": with_envelope(files={"model.pt": {"size": 1}}),
        "a file that would leave its folder": with_envelope(files={"../model.pt": FILE}),
        "a file that is not in the bucket": with_envelope(files={"model.pt": FILE}),
        "no word on the checkpoint": without("has_checkpoint"),
        "an error that is a text": with_envelope(error="out of memory"),
        "a wish to cancel at no time": with_envelope(cancel_requested_at="yesterday"),
    },
)
