"""The local cloud: SQS, S3 and a SaladCloud on this machine, for the demo, the notebooks and the tests.

::

    up ──► supervisor ─┬─ ministack: SQS and S3
           (background)└─ local SaladCloud: public API, /nodes (metadata), /local (interruptions, settings)
                              └─ replicas: real worker processes, each on a node that can be lost

    .lrt/   submitter.env  worker.env  autoscaler.env   cloud.json  cloud.log  logs/{instance}.log

Where it differs from AWS and R2: whoever last held a job may extend or delete it although the lease is
over, as long as nobody else has taken it; a lease can go on beyond twelve hours; a receive whose answer
was lost is not answered again; nothing is refused for being too often. The kit does not count on any of
these here: what it does count on, and where that was seen, is in ``tests/conformance/MATRIX.md``.
"""

import importlib.util

from lrtkit.wire.errors import NotInstalled

_NEEDED = ("hypercorn", "ministack", "psutil", "starlette")
if _missing := [name for name in _NEEDED if not importlib.util.find_spec(name)]:
    raise NotInstalled(
        f"The local cloud needs {', '.join(_missing)}, not installed here. Try: pip install -e '.[local]'"
    )

from lrtkit.local.cloud import Condition, LocalCloud, Status, down, status, up  # noqa: E402 - after the check above

__all__ = ["Condition", "LocalCloud", "Status", "down", "status", "up"]
