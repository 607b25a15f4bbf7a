"""A gate before a server: it lets requests through, and answers them itself when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import urllib3

from tests.serving import serving


class Gate:
    """Where the gate is, and what it does.

    ``time`` is what its answers tell, in seconds since 1970, where it is not 0. A ``refusal``, an HTTP
    status with the code and the words of S3, is what all get, when ``after`` requests have passed.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.refusal: tuple[int, str, str] | None = None
        self.after = 0
        self.time = 0.0


@contextmanager
def gate(target: str) -> Iterator[Gate]:
    """Put a gate before a server for a while."""
    at = Gate(target)
    pool = urllib3.PoolManager(retries=False, maxsize=8)

    class Handler(BaseHTTPRequestHandler):
        """Passes a request on, or refuses it."""

        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            at.after -= 1
            if at.refusal and at.after < 0:
                status, code, words = at.refusal
                self._answer(status, {}, f"<Error><Code>{code}</Code><Message>{words}</Message></Error>".encode())
                return
            found = pool.request(self.command, at.target + self.path, body=body, headers=dict(self.headers))
            self._answer(found.status, dict(found.headers), found.data)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815  (http.server asks for these names)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            told = {name: value for name, value in headers.items() if name.lower() not in _OWN}
            date = {"Date": formatdate(at.time, usegmt=True)} if at.time else {}
            for name, value in {**told, **date, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with pool, serving(Handler) as at.url:
        yield at


_OWN = {"content-length", "transfer-encoding", "connection", "date"}
