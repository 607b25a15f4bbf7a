"""The local cloud: SQS, S3 and a SaladCloud on this machine, for the demo, the notebooks and the tests.

::

    up ──► supervisor ─┬─ ministack: SQS and S3
           (background)└─ local SaladCloud: public API, /nodes (metadata), /local (interruptions, settings)
                              └─ replicas: real worker processes, each on a node that can be lost

    .lrt/   submitter.env  worker.env  autoscaler.env   cloud.json  cloud.log  logs/{instance}.log
"""

import importlib.util

from lrtkit.wire.errors import BadInput

_NEEDED = ("hypercorn", "ministack", "psutil", "starlette")
if _missing := [name for name in _NEEDED if not importlib.util.find_spec(name)]:
    raise BadInput(f"The local cloud needs {', '.join(_missing)}, not installed here. Try: pip install -e '.[local]'")

from lrtkit.local.cloud import Condition, LocalCloud, Status, down, status, up  # noqa: E402 - after the check above

__all__ = ["Condition", "LocalCloud", "Status", "down", "status", "up"]
