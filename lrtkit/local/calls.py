"""Calls to the servers of a local cloud, from the process that started it."""

from __future__ import annotations

from typing import Any

import urllib3

from lrtkit.wire.errors import BadInput, NotFound, Unavailable

_TIMEOUT_S = 10


def answers(url: str, *, timeout_s: float = _TIMEOUT_S) -> bool:
    """Tell whether the URL answers 200."""
    try:
        return _request("GET", url, timeout_s=timeout_s).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def call(method: str, url: str, body: Any = None) -> Any:
    """Return the answer's JSON; raise BadInput, NotFound or Unavailable with the server's own sentence."""
    try:
        response = _request(method, url, body=body)
    except urllib3.exceptions.HTTPError as error:
        raise Unavailable(f"The local cloud does not answer at {url}. Try: python -m lrtkit.local status") from error
    if response.status == 200:
        return response.json()
    error_class = {400: BadInput, 404: NotFound}.get(response.status, Unavailable)
    raise error_class(response.json()["detail"])


def _request(
    method: str, url: str, *, body: Any = None, timeout_s: float = _TIMEOUT_S
) -> urllib3.response.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False, timeout=timeout_s) as pool:
        return pool.request(method, url, json=body) if body is not None else pool.request(method, url)
