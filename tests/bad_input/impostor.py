"""A server in the place of a service: one answer to whatever it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.bad_input.answers import NOTHING, Answer
from tests.serving import serving


@contextmanager
def impostor(answer: Answer) -> Iterator[str]:
    """Give the answer to every call on a port of 127.0.0.1, and yield the URL."""
    handler = type("Handler", (_Handler,), {"answer": answer})
    with serving(handler) as url:
        yield url


class _Handler(BaseHTTPRequestHandler):
    """Takes every call."""

    answer: Answer
    protocol_version = "HTTP/1.1"

    def do_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.answer if self.answer.only in {None, self.command} else NOTHING
        data = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_any  # noqa: N815  (as the base class looks for them)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""
