"""The door to a cloud: from an env file to its queue and bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lrtkit.shown import card
from lrtkit.wire import aws, keys, parallel
from lrtkit.wire.errors import BadInput, Denied, NotFound, Unavailable
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import VARIABLES, Access, CloudSettings, read_env_file
from lrtkit.wire.sqs import SqsQueue, name_of

ENV_FILE = Path(".lrt", "submitter.env")
"""Where the local cloud keeps what a submitter needs; looked for here and in the folders above."""


@dataclass(frozen=True)
class Cloud:
    """A queue pair and a bucket, and ``source``, where their settings came from; no secret shows in its repr."""

    queue: SqsQueue
    store: S3Store
    settings: CloudSettings = field(repr=False)
    source: str

    def check(self) -> None:
        """Look whether both queues and the bucket answer; raise Unavailable, NotFound or Denied with what to do."""
        looks = (self._look_at_queue, self._look_at_dead_letters, self._look_at_bucket)
        parallel.each(lambda look: look(), looks, threads=len(looks), name="check")

    def _look_at_queue(self) -> None:
        queue = self.settings.queue
        with _advice(f"queue {self.queue.name}", queue.url, queue.access, prefix="SQS"):
            self.queue.largest_message()

    def _look_at_dead_letters(self) -> None:
        queue = self.settings.queue
        dead_letters = f"dead-letter queue {name_of(queue.dead_letter_url)}"
        with _advice(dead_letters, queue.dead_letter_url, queue.access, prefix="SQS"):
            self.queue.depth()

    def _look_at_bucket(self) -> None:
        bucket = self.settings.bucket
        with _advice(f"bucket {bucket.name}", bucket.endpoint_url, bucket.access, prefix="R2"):
            self.store.get(keys.PROBE)

    def __repr__(self) -> str:
        return f"<Cloud: queue {self.queue.name}, bucket {self.store.bucket}, from {self.source}>"

    def facts(self) -> dict[str, str]:
        """Return where everything is, without any key."""
        queue, bucket = self.settings.queue, self.settings.bucket
        return {
            "queue": queue.url,
            "dead-letter queue": queue.dead_letter_url,
            "bucket": f"{bucket.name} at {bucket.endpoint_url}",
            "settings": self.source,
        }

    def _repr_html_(self) -> str:
        return card("Cloud", self.facts())


def connect(env_file: str | Path | None = None) -> Cloud:
    """Return the cloud that an env file describes; no call goes over the network.

    Without ``env_file`` the nearest ``.lrt/submitter.env``, in this folder or one above, is taken,
    which the local cloud writes; without one of those, the environment. Raises BadInput that names
    every variable that is missing.
    """
    path = Path(env_file) if env_file else _nearest()
    if path is None and not any(map(os.environ.get, VARIABLES)):
        raise BadInput(
            f"there is no {ENV_FILE} in {Path.cwd()} or above, and none of {', '.join(VARIABLES)} is set. "
            'Try: `python -m lrtkit.local up`, or connect("keys/submitter.env")'
        )
    source = str(path or "the environment")
    try:
        settings = CloudSettings.from_env(read_env_file(path) if path else os.environ)
    except BadInput as error:
        raise BadInput(_incomplete(error, path)) from error
    return Cloud(SqsQueue(settings.queue), S3Store(settings.bucket), settings, source)


def _nearest() -> Path | None:
    here = Path.cwd()
    return next((path for folder in (here, *here.parents) if (path := folder / ENV_FILE).is_file()), None)


def _incomplete(error: BadInput, path: Path | None) -> str:
    if path:
        return str(error) if str(path) in str(error) else f"{path}: {error}"
    return f"{error}; and there is no {ENV_FILE} here or above. Try: `python -m lrtkit.local up`, or connect(env_file)"


@contextmanager
def _advice(what: str, url: str, access: Access, *, prefix: str) -> Iterator[None]:
    """Say what to do about a service that does not answer as it should."""
    endpoint = {"SQS": "SQS_QUEUE_URL, SQS_DLQ_URL and AWS_ENDPOINT_URL_SQS", "R2": "R2_S3_ENDPOINT_URL"}[prefix]
    pair = f"{prefix}_AWS_ACCESS_KEY_ID and {prefix}_AWS_SECRET_ACCESS_KEY"
    try:
        yield
    except NotFound as error:
        raise NotFound(f"there is no {what} at {url}. Try: lrtkit.queues.make(cloud), or mend its name") from error
    except Denied as error:
        known = str(error).partition(". Try: ")[2]
        advice = f"mend {pair}, or the key's policy" if known in {"", aws.ADVICE[Denied]} else known
        raise Denied(f"the key {access.key_id} was refused for {what}: {_cause(error)}. Try: {advice}") from error
    except Unavailable as error:
        raise Unavailable(
            f"{what} does not answer at {url}: {_cause(error)}. Try: mend {endpoint}, or `python -m lrtkit.local up`"
        ) from error


def _cause(error: Exception) -> str:
    """Return what the service said, without what was tried and without advice."""
    return str(error).partition(": ")[2].partition(". Try: ")[0].rstrip(".")
