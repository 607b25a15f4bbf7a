"""Reading the body of a request."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from lrtkit.local.salad.problems import Problem


async def json_body(request: Request, *, media_type: str = "application/json") -> Any:
    """Return the body; raise a 415 or a 400 where it is of another type or no JSON."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != media_type:
        raise Problem(415, f"The content type must be {media_type}, not {said or 'missing'}")
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise Problem(400, f"The body is no JSON: {error}") from error
