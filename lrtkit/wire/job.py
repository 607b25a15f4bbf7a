"""A job and its message body (contract 2)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lrtkit.wire import shape, strict
from lrtkit.wire.errors import BadInput, PoisonMessage

UNSENDABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""SQS takes every character of XML 1.0, which these are not; JSON escapes the other ones by itself."""

TIMEOUT = "timeout_seconds"
"""The field by which a job limits how long one attempt may take."""

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=/-]{0,127}")


@dataclass(frozen=True)
class Job:
    """One job: ``fields`` is the whole body, ``job_id`` included, as the workload gets it."""

    fields: Mapping[str, Any]

    @property
    def job_id(self) -> str:
        """The name under which the bucket keeps the job."""
        return str(self.fields["job_id"])

    @cached_property
    def fingerprint(self) -> str:
        """What the job computes, whatever its name."""
        return fingerprint(self.fields)

    @property
    def steps(self) -> int | None:
        """How many steps the job has, where it says so."""
        steps = self.fields.get("steps")
        return steps if shape.is_count(steps) else None

    @property
    def timeout_s(self) -> float | None:
        """How long one attempt may take, where the job limits it (its field ``timeout_seconds``)."""
        limit = self.fields.get(TIMEOUT)
        if not isinstance(limit, (int, float)) or isinstance(limit, bool):
            return None
        return float(limit) if limit > 0 else None

    @cached_property
    def body(self) -> str:
        """The message body: the job as one JSON object, in which what no message can carry is escaped."""
        text = json.dumps(self.fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text if not UNSENDABLE.search(text) else json.dumps(self.fields, separators=(",", ":"), allow_nan=False)


def fingerprint(fields: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON (sorted, compact, UTF-8) of the fields without ``job_id``."""
    rest = {name: value for name, value in fields.items() if name != "job_id"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def check_job_id(job_id: object) -> str:
    """Return a usable job id as it is; raise BadInput with the reason where it cannot be used."""
    if not isinstance(job_id, str):
        raise BadInput(f"job_id must be text, not {job_id!r}")
    if not _JOB_ID.fullmatch(job_id):
        raise BadInput(f"job_id {job_id!r} must be 1 to 128 of A-Z a-z 0-9 . _ = / - and begin with a letter or digit")
    if any(part in {"", ".", ".."} for part in job_id.split("/")):
        raise BadInput(f"job_id {job_id!r} must not have an empty, '.' or '..' part between its slashes")
    return job_id


def parse(body: str) -> Job:
    """Return the job of a message body; raise PoisonMessage where the body is no job."""
    try:
        fields = json.loads(body, **strict.NUMBERS)
    except (ValueError, RecursionError) as error:
        raise PoisonMessage(f"the message is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise PoisonMessage(f"the message is a JSON {type(fields).__name__}, not an object")
    if "job_id" not in fields:
        raise PoisonMessage("the message has no job_id")
    try:
        check_job_id(fields["job_id"])
    except BadInput as error:
        raise PoisonMessage(str(error)) from error
    return _tellable(Job(fields))


def _tellable(job: Job) -> Job:
    """Return a job as it is; raise PoisonMessage where any of what is asked of it later cannot be told."""
    try:
        _ = job.fingerprint, job.timeout_s
    except (ArithmeticError, RecursionError) as error:
        raise PoisonMessage(f"the message holds what no job can: {error}") from error
    return job
