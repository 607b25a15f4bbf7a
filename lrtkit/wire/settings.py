"""Settings, read from the environment or an env file in one place (contract 1).

All problems of an environment are told at once, and no secret shows in a repr.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lrtkit.wire.errors import BadInput
from lrtkit.wire.secret import Secret, veiled

T = TypeVar("T")

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")

_ANY = re.compile(r".+", re.DOTALL)
_URL = re.compile(r"https?://[^/?#\s]+(/\S*)?")
_FIFO_URL = re.compile(rf"{_URL.pattern}\.fifo")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]+")

_ALIKE = 0.9
"""From this likeness on a name is taken for a misspelt one: a letter in ten, so that a user's own are left alone."""

_SOURCES = {
    "SQS_QUEUE_URL": "the URL of the job queue, https://….fifo, as `lrtkit.queues` or the AWS console shows it",
    "SQS_DLQ_URL": "the URL of the dead-letter queue, https://….fifo, as `lrtkit.queues` or the AWS console shows it",
    "SQS_AWS_REGION": "the queue's region, such as us-east-1",
    "SQS_AWS_ACCESS_KEY_ID": "an access key of the submitter or worker user, from the AWS console under IAM",
    "SQS_AWS_SECRET_ACCESS_KEY": "shown once beside the access key in the AWS console",
    "R2_S3_ENDPOINT_URL": "https://<account>.r2.cloudflarestorage.com, from the Cloudflare console under R2",
    "R2_BUCKET_NAME": "the name of the bucket, from the Cloudflare console under R2",
    "R2_AWS_ACCESS_KEY_ID": "an R2 API token's access key, from the Cloudflare console under R2",
    "R2_AWS_SECRET_ACCESS_KEY": "shown once beside the R2 access key in the Cloudflare console",
}
VARIABLES = tuple(_SOURCES)
"""What queue and bucket need."""


@dataclass(frozen=True)
class Access:
    """A key pair, and the session token that a temporary one comes with; no secret of it ever shows."""

    key_id: str
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Let neither show where it goes from here: botocore hands both on from function to function."""
        object.__setattr__(self, "secret", Secret(self.secret))
        if self.session_token is not None:
            object.__setattr__(self, "session_token", Secret(self.session_token))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show."""
        return (self.secret, self.session_token) if self.session_token else (self.secret,)


@dataclass(frozen=True)
class QueueSettings:
    """Where the job queue and its dead-letter queue are; ``endpoint_url`` is set only off AWS."""

    url: str
    dead_letter_url: str
    region: str
    access: Access
    endpoint_url: str | None = None


@dataclass(frozen=True)
class BucketSettings:
    """Where the bucket is."""

    name: str
    endpoint_url: str
    access: Access


@dataclass(frozen=True)
class CloudSettings:
    """The queue pair and the bucket."""

    queue: QueueSettings
    bucket: BucketSettings

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> CloudSettings:
        """Read the settings; raise BadInput that lists every missing variable and where it is got."""
        env = veiled(env)
        reader = _Reader(env)
        settings = cls(_queue(reader), _bucket(reader))
        reader.finish()
        return settings


@dataclass(frozen=True)
class WorkerSettings:
    """What the worker is told beside queue and bucket; the table of contract 1."""

    workload: str = "worker.workloads.slow_sum:run"
    lease_s: float = 120
    max_failures: int = 3
    max_silent: int = 10
    checkpoint_s: float | None = None
    handover_s: float = 41400
    grace_s: float = 10
    idle_exit_s: float | None = None
    imds_url: str = "http://169.254.169.254"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> WorkerSettings:
        """Read the ``LRT_`` variables; raise BadInput that lists every one that is wrong."""
        reader = _Reader(env)
        settings = cls(
            workload=reader.get("LRT_WORKLOAD", _workload, cls.workload),
            lease_s=reader.get("LRT_LEASE_SECONDS", _between(1, 43200), cls.lease_s),
            max_failures=reader.get("LRT_MAX_FAILURES", _count, cls.max_failures),
            max_silent=reader.get("LRT_MAX_SILENT", _count, cls.max_silent),
            checkpoint_s=reader.get("LRT_CHECKPOINT_SECONDS", _auto_or_seconds, cls.checkpoint_s),
            handover_s=reader.get("LRT_HANDOVER_SECONDS", _between(1, 43200), cls.handover_s),
            grace_s=reader.get("LRT_GRACE_SECONDS", _between(0, 3600), cls.grace_s),
            idle_exit_s=reader.get("LRT_IDLE_EXIT_SECONDS", _none_or_seconds, cls.idle_exit_s),
            imds_url=reader.optional_url("LRT_IMDS_URL", cls.imds_url),
        )
        reader.suspect_misspelt()
        reader.finish()
        return settings


def read_env_file(path: str | Path) -> dict[str, str]:
    """Return an env file's variables, without a shell; raise BadInput where it is missing, open to others or wrong."""
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"there is no env file {path}. Try: `python -m lrtkit.local up`, or notebook 01")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(f"{path} holds keys and can be read by others. Try: chmod 600 {path}")
    values, fault = _parsed(path)
    if fault:
        raise BadInput(f"{path}{fault}")
    return values


def _parsed(path: Path) -> tuple[dict[str, str], str]:
    """Return a file's variables, or the first fault in it: raised from here, a traceback could show every line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return {}, ' is no text in UTF-8. Try: save it as UTF-8, as an editor\'s "save as" offers'
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    found = {number: _LINE.fullmatch(line) for number, line in lines if line and not line.startswith("#")}
    faults = (f", line {number}{fault}" for number, match in found.items() if (fault := _fault(match)))
    if fault := next(faults, ""):
        return {}, fault
    return veiled(dict(_pair(match) for match in found.values() if match)), ""


def write_env_file(path: str | Path, values: Mapping[str, str]) -> None:
    """Write an env file that only its owner can read, all of it or nothing."""
    path = Path(path)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{name}={_quoted(value)}\n" for name, value in values.items())
    draft.replace(path)


def _quoted(value: str) -> str:
    """Return a value as it is, or in quotation marks where it would not be read as what it is."""
    return f'"{value}"' if value != value.strip() or _is_quoted(value) else value


def _fault(match: re.Match[str] | None) -> str:
    if not match:
        return ", is not of the form NAME=value. Try: a variable a line, # before notes"
    name, value = match.groups()
    if _is_quoted(value) and (len(value) < 2 or value[-1] != value[0]):
        return f": the quotation mark before the value of {name} has none behind it"
    return ""


def _pair(match: re.Match[str]) -> tuple[str, str]:
    name, value = match.groups()
    return name, value[1:-1] if _is_quoted(value) else value


def _is_quoted(value: str) -> bool:
    return value[:1] in {"'", '"'}


class _Reader:
    """Reads variables and gathers what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []
        self._asked: list[str] = []

    def require(self, name: str, form: re.Pattern[str] = _ANY) -> str:
        value = self.env.get(name, "")
        if not value:
            self.problems.append(f"{name} is missing ({_SOURCES[name]})")
        elif not form.fullmatch(value):
            self.problems.append(f"{name} is {value!r} but must be {_SOURCES[name]}")
        return value

    def optional_url(self, name: str, default: str = "") -> str:
        self._asked.append(name)
        value = self.env.get(name, default)
        if value and not _URL.fullmatch(value):
            self.problems.append(f"{name} is {value!r} but must be a URL such as https://host, or empty")
        return value.rstrip("/")

    def get(self, name: str, parse: Callable[[str], T], default: T) -> T:
        self._asked.append(name)
        try:
            return parse(self.env[name]) if self.env.get(name) else default
        except ValueError as error:
            self.problems.append(f"{name} is {self.env[name]!r} but must be {error}")
            return default

    def suspect_misspelt(self) -> None:
        """Refuse names that are all but a setting's: with LRT_WORKLAOD every job would run the default and be done."""
        for name in sorted(name for name in self.env if name.startswith("LRT_") and name not in self._asked):
            meant = difflib.get_close_matches(name, self._asked, n=1, cutoff=_ALIKE)
            self.problems += [f"{name} is no setting (was {each} meant?)" for each in meant]

    def finish(self) -> None:
        if self.problems:
            raise BadInput("the environment is not complete: " + "; ".join(self.problems))


def _queue(reader: _Reader) -> QueueSettings:
    url, dead_letter_url = (reader.require(name, _FIFO_URL) for name in ("SQS_QUEUE_URL", "SQS_DLQ_URL"))
    if url and url == dead_letter_url:
        reader.problems.append(
            "SQS_DLQ_URL is the same queue as SQS_QUEUE_URL, so that dead letters would be jobs again"
        )
    return QueueSettings(
        url=url,
        dead_letter_url=dead_letter_url,
        region=reader.require("SQS_AWS_REGION", _REGION),
        access=Access(reader.require("SQS_AWS_ACCESS_KEY_ID"), reader.require("SQS_AWS_SECRET_ACCESS_KEY")),
        endpoint_url=reader.optional_url("AWS_ENDPOINT_URL_SQS") or None,
    )


def _bucket(reader: _Reader) -> BucketSettings:
    return BucketSettings(
        name=reader.require("R2_BUCKET_NAME", _BUCKET),
        endpoint_url=reader.require("R2_S3_ENDPOINT_URL", _URL),
        access=Access(
            reader.require("R2_AWS_ACCESS_KEY_ID"),
            reader.require("R2_AWS_SECRET_ACCESS_KEY"),
            reader.env.get("R2_AWS_SESSION_TOKEN") or None,
        ),
    )


def _workload(text: str) -> str:
    module, _, name = text.partition(":")
    try:
        named = module.strip() and (shlex.split(name) if module == "cmd" else name.strip())
    except ValueError:  # a quotation mark without its partner
        named = ""
    if not named:
        raise ValueError("'module:generator' or 'cmd: program arguments'")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a whole number of at least 1")
    return int(text)


def _between(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"seconds between {least:g} and {most:g}")
        return value

    return parse


def _auto_or_seconds(text: str) -> float | None:
    return _word_or_seconds("auto", text)


def _none_or_seconds(text: str) -> float | None:
    return _word_or_seconds("none", text)


def _word_or_seconds(word: str, text: str) -> float | None:
    try:
        return None if text == word else _between(0, 86400)(text)
    except ValueError as error:
        raise ValueError(f"{word!r}, or {error}") from None
