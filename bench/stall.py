"""How long a workload stands still for a save of 256 MB: in the background, and blocking.

Blocking is what the guide does: write, hash, upload, record, and only then go on. Both go through
the same line as slow as a good home's, for loopback alone would make an upload cost next to nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import link, stage
from bench.stage import Stage
from bench.table import Row, at_most
from lrtkit.wire import ledger
from lrtkit.wire.record import Record, Saved, State
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings
from worker import files

ROUNDS = 3
STEPS = 500
"""Each of 20 ms: long enough for one upload, and too short for a second."""

SIZE = 256_000_000
BITS_A_S = 286e6
"""The mean upload speed in North America (FACTS); the slower the line, the better for the background."""


def measure() -> Iterator[Row]:
    """Alternate between a blocking save and one of the worker's."""
    with stage.opened() as on, link.throttled(on.env["R2_S3_ENDPOINT_URL"], bytes_a_s=BITS_A_S / 8) as line:
        on.env = {**on.env, "R2_S3_ENDPOINT_URL": line}
        on.worker("weigh").said("started")
        store = S3Store(CloudSettings.from_env(on.env).bucket)
        pairs = [(_blocking_s(store, f"plain-{place}"), _background_s(on, f"job-{place}")) for place in range(ROUNDS)]
    words, meets = at_most(5, "%")
    ratios = [100 * background_s / blocking_s for blocking_s, background_s in pairs]
    yield Row("stall of a 256 MB save, to a blocking one", ratios, unit="%", target=words, meets=meets)
    yield Row("  in the background", [background_s for _, background_s in pairs])
    yield Row(f"  blocking, over {BITS_A_S / 1e6:.0f} Mbit/s", [blocking_s for blocking_s, _ in pairs])


def _blocking_s(store: S3Store, job_id: str) -> float:
    """Return the seconds that a loop stands still which writes, hashes, uploads and records by itself."""
    weights = os.urandom(SIZE)
    entry = ledger.swap(store, job_id, ledger.read(store, job_id), Record(State.RUNNING))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights")
        began = time.monotonic()
        path.write_bytes(weights)
        saved = Saved({"step": 1}, files.upload_all(store, job_id, {"weights": path}, frozenset()))
        ledger.swap(store, job_id, entry, Record(State.RUNNING, checkpoint=saved))
        return time.monotonic() - began


def _background_s(on: Stage, job_id: str) -> float:
    """Return the longest that a yield took in a job during which one checkpoint was saved."""
    on.trace.unlink(missing_ok=True)
    on.send(job_id, size=SIZE, steps=STEPS)
    record = on.ended(job_id)
    if record.attempts[-1].saves != 1:
        raise RuntimeError(f"{record.attempts[-1].saves} saves instead of one")
    return max(seconds for _, seconds in on.traced())
