"""The one door to the API: headers, time-outs, repetition, and what a failure means."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import urllib3

from lrtkit.salad.settings import SaladSettings
from lrtkit.wire.errors import BadInput, Conflict, Denied, LrtError, NotFound, Throttled, Unavailable

_PAUSES_S = (0.5, 1.0, 2.0)
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_HEADERS = {"User-Agent": "lrtkit/0.1", "Accept": _JSON}  # Python's own default is refused


class Door:
    """Makes calls; those that can be repeated without harm are repeated a few times."""

    def __init__(self, settings: SaladSettings, *, sleep: Callable[[float], None]) -> None:
        self._settings = settings
        self._sleep = sleep
        self._pool = urllib3.PoolManager(retries=False, timeout=settings.timeout_s)

    def read(self, method: str, path: str, *, has: str, body: Any = None, repeat: bool = True) -> Mapping[str, Any]:
        """Make a call whose answer must be a JSON object that ``has`` a field: without it, it is another's answer."""
        answer = _json(self.call(method, path, body=body, repeat=repeat))
        if answer is None or has not in answer:
            lacks = "a JSON object" if answer is None else has
            raise Unavailable(f"SaladCloud answered {method} {path} without {lacks}. Try: the same again, later")
        return answer

    def call(self, method: str, path: str, *, body: Any = None, repeat: bool = True) -> urllib3.BaseHTTPResponse:
        """Make a call; where it may be repeated, first wait as long as SaladCloud asks for, or ever longer."""
        deadline = time.monotonic() + self._settings.patience_s
        for pause_s in _PAUSES_S:
            outcome = self._once(method, path, body)
            if not isinstance(outcome, _Failure):
                return outcome
            wait_s = max(outcome.retry_after_s, pause_s)
            if not outcome.may_repeat(repeat) or time.monotonic() + wait_s > deadline:
                raise outcome.error
            self._sleep(wait_s)
        return _successful(self._once(method, path, body))

    def _once(self, method: str, path: str, body: Any) -> urllib3.BaseHTTPResponse | _Failure:
        headers = {**_HEADERS, "Salad-Api-Key": self._settings.api_key}
        if body is not None:
            headers["Content-Type"] = _MERGE_PATCH if method == "PATCH" else _JSON
        content = None if body is None else json.dumps(body).encode()
        try:
            response = self._pool.request(method, self._settings.base_url + path, body=content, headers=headers)
        except urllib3.exceptions.HTTPError as cause:
            error = Unavailable(f"SaladCloud could not be reached for {method} {path} ({cause}). Try: again later")
            error.__cause__ = cause
            return _Failure(error)
        return response if 200 <= response.status < 300 else _failure(method, path, response)


@dataclass(frozen=True)
class _Failure:
    """A call that did not succeed, and how long SaladCloud wants to be left alone."""

    error: LrtError
    retry_after_s: float = 0

    def may_repeat(self, repeat: bool) -> bool:
        """A throttled call has done nothing; after any other failure that is not certain."""
        return isinstance(self.error, Throttled) or (repeat and isinstance(self.error, Unavailable))


def _successful(outcome: urllib3.BaseHTTPResponse | _Failure) -> urllib3.BaseHTTPResponse:
    if isinstance(outcome, _Failure):
        raise outcome.error
    return outcome


_DECISIONS: dict[int, tuple[type[LrtError], str]] = {
    401: (Denied, "check salad_api_key"),
    403: (Denied, "check salad_api_key and salad_org, and that the key may do this"),
    404: (NotFound, "deploy it, or mend salad_org, salad_project and salad_container_group_name"),
    408: (Unavailable, "the same again, later"),
    409: (Conflict, "read it again, then repeat"),
    412: (Conflict, "read it again, then repeat"),
    429: (Throttled, "fewer calls; a key has 240 a minute"),
}
_MEND = (BadInput, "mend what the answer names")
_WAIT = _DECISIONS[408]


def _failure(method: str, path: str, response: urllib3.BaseHTTPResponse) -> _Failure:
    fallback = _MEND if 400 <= response.status < 500 else _WAIT
    error_class, advice = _DECISIONS.get(response.status, fallback)
    said = f"{response.status} {_phrase(response.status)}: {_detail(response)}"
    return _Failure(
        error_class(f"SaladCloud answered {method} {path} with {said}. Try: {advice}"), _retry_after_s(response)
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no such status)"


def _detail(response: urllib3.BaseHTTPResponse) -> str:
    """Return what the problem says; a page of HTML says nothing that helps."""
    problem = _json(response)
    if problem is None:
        return f"no JSON but {response.headers.get('Content-Type', 'nothing')}"
    return str(problem.get("detail") or problem.get("title") or "no detail")


def _retry_after_s(response: urllib3.BaseHTTPResponse) -> float:
    """Read Retry-After, which is a number of seconds or a date."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return 0.0


def _json(response: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    try:
        answer = json.loads(response.data)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
