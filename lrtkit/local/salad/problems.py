"""Errors as the public API tells them: ``{type, title, status, detail, instance}``."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lrtkit.wire.errors import BadInput


class Problem(Exception):
    """An answer other than success."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def response(self) -> Response:
        """Return the problem as the API sends it."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{uuid.uuid4()}",
        }
        return JSONResponse(body, self.status, media_type="application/problem+json")


async def answer_problem(_request: Request, error: Exception) -> Response:
    """Turn what a handler raised into the answer."""
    if isinstance(error, BadInput):
        error = Problem(400, str(error))
    return error.response() if isinstance(error, Problem) else Problem(500, "The local SaladCloud failed").response()


async def answer_status(request: Request, error: Exception) -> Response:
    """Turn the framework's own 404 and 405 into problems."""
    status = getattr(error, "status_code", 500)
    return Problem(status, f"There is no {request.method} {request.url.path}").response()
