"""A queue and a bucket that take everything at once and keep nothing but counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from lrtkit.connection import Cloud
from lrtkit.wire.errors import LrtError
from lrtkit.wire.listing import Page
from lrtkit.wire.s3 import Item, S3Store
from lrtkit.wire.settings import Access, BucketSettings, CloudSettings, QueueSettings
from lrtkit.wire.sqs import Depth, Outgoing, SqsQueue


class Nowhere:
    """Both in one; ``counts`` tells how many messages and objects have come."""

    name = bucket = "nowhere"
    calls_per_s = float("inf")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def cloud(self) -> Cloud:
        """It as a cloud."""
        access = Access("", "")
        settings = CloudSettings(QueueSettings("", "", "", access), BucketSettings("", "", access))
        return Cloud(cast("SqsQueue", self), cast("S3Store", self), settings, "nowhere")

    def largest_message(self) -> int:
        """Return what SQS takes."""
        return 1024 * 1024

    def depth(self) -> Depth:
        """Return that nothing is there."""
        return Depth(0, 0, 0, 0)

    def send_batch(self, messages: Sequence[Outgoing]) -> dict[int, LrtError]:
        """Take everything."""
        with self._lock:
            self.counts["messages"] += len(messages)
        return {}

    def get(self, _: str) -> Item | None:
        """Return that nothing is there."""

    def pages(self, _: str, after: Sequence[str]) -> list[Page]:
        """List nothing."""
        return [Page([], is_last=True, read_at=None) for _ in after]

    def read(self, _: Sequence[str], __: Callable[[bytes], object]) -> dict[str, object]:
        """Return that nothing is there."""
        return {}

    def put(self, key: str, body: bytes) -> None:
        """Keep nothing."""

    def upload(self, path: Path, key: str) -> None:
        """Keep nothing."""

    def swap(self, _: str, body: bytes, __: str | None) -> str:
        """Keep nothing."""
        self.counts["lists"] += 1
        self.counts["largest list"] = max(self.counts["largest list"], len(body))
        return "etag"
