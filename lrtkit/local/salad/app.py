"""Puts the local SaladCloud together: who may enter, and what is where."""

from __future__ import annotations

import math
import secrets
import time
from collections import deque

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lrtkit.local.salad.api import Api
from lrtkit.local.salad.cloud import SaladCloud
from lrtkit.local.salad.extras import Extras
from lrtkit.local.salad.interruptions import Interruptions
from lrtkit.local.salad.metadata import Metadata
from lrtkit.local.salad.problems import Problem, answer_problem, answer_status
from lrtkit.wire.errors import BadInput

_MINUTE_S = 60


def salad_app(cloud: SaladCloud, interruptions: Interruptions, *, key: str) -> Starlette:
    """Return the whole HTTP application."""
    return Starlette(
        routes=[Api(cloud).mount(), Metadata(cloud).mount(), Extras(cloud, interruptions).mount()],
        middleware=[Middleware(Doorman, cloud=cloud, key=key)],
        exception_handlers={
            Problem: answer_problem,
            BadInput: answer_problem,
            HTTPException: answer_status,
            Exception: answer_problem,
        },
    )


class Doorman:
    """Turns away other hosts' names (a web page could use them to reach this machine), wrong keys, and haste."""

    def __init__(self, app: ASGIApp, cloud: SaladCloud, key: str) -> None:
        self._app = app
        self._cloud = cloud
        self._key = key
        self._asked: deque[float] = deque()
        """When the requests of the last minute came."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at the door, or let in."""
        refusal = self._refusal(scope["path"], Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if host not in {"127.0.0.1", "localhost"}:
            return Problem(403, f"The host {host!r} is not served here").response()
        if not path.startswith("/api/public"):
            return None
        if headers.get("user-agent", "").startswith("Python-urllib"):
            return HTMLResponse("<html><body>Forbidden</body></html>", 403)  # as the real one treats Python's default
        return self._refuse_key(headers.get("salad-api-key")) or self._refuse_haste(time.monotonic())

    def _refuse_key(self, key: str | None) -> Response | None:
        if key is None:
            return Problem(401, "The header Salad-Api-Key is missing").response()
        if not secrets.compare_digest(key.encode(), self._key.encode()):
            return Problem(403, "The key in Salad-Api-Key is not known here").response()
        return None

    def _refuse_haste(self, now: float) -> Response | None:
        most = self._cloud.settings.requests_per_minute
        while self._asked and self._asked[0] <= now - _MINUTE_S:
            self._asked.popleft()
        if most and len(self._asked) >= most:
            response = Problem(429, f"The key has {most} requests a minute").response()
            response.headers["Retry-After"] = str(math.ceil(self._asked[0] + _MINUTE_S - now))
            return response
        self._asked.append(now)
        return None
