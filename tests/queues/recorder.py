"""A gate before a server, as TLS ends at one in production, that notes who made which calls."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.serving import END_S

_KEY = re.compile(r"Credential=([^/]+)/[0-9]+/[^/]+/([^/]+)/")
_SETTINGS = {"lifecycle": "LifecycleConfiguration", "policy": "BucketPolicy"}
_METHODS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}


@dataclass(frozen=True)
class Call:
    """One call: by which key, what IAM calls it, on what (a queue, or a bucket and key), and the answer's status."""

    key: str
    action: str
    resource: str
    status: int


class Recorder:
    """Passes HTTP on to a server, as come by TLS, and notes each call; some can be answered with a failure."""

    def __init__(self, target: str) -> None:
        self.calls: list[Call] = []
        self.target = urlsplit(target)
        self._failures: list[tuple[str, int]] = []
        recorder = self

        class Gate(_Gate):
            owner = recorder

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(END_S,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Take the gate away."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail(self, action: str, times: int, status: int) -> None:
        """Answer the next calls of this kind with a failure, in place of the server."""
        self._failures += [(action, status)] * times

    def forgive(self) -> None:
        """Let everything through again."""
        self._failures.clear()

    def failure(self, action: str) -> int | None:
        """Return the status that a call is to be answered with, if the server is not to be asked."""
        for planned in self._failures:
            if planned[0] == action:
                self._failures.remove(planned)
                return planned[1]
        return None

    @contextlib.contextmanager
    def during(self) -> Iterator[list[Call]]:
        """Gather the calls of the body."""
        gathered: list[Call] = []
        first = len(self.calls)
        yield gathered
        gathered += self.calls[first:]


class _Gate(BaseHTTPRequestHandler):
    """One connection."""

    owner: Recorder
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key, action, resource = _meaning(self, body)
        raw = f"{self.headers.get('X-Amz-Target', '')}{self.path}"
        status = self.owner.failure("UploadPart" if "partNumber" in raw else action)
        if status is None:
            status = self._ask(body)
        else:
            self._answer(status, [], _refusal(action) if status == 403 else b"")
        self.owner.calls.append(Call(key, action, resource, status))

    def _ask(self, body: bytes) -> int:
        connection = http.client.HTTPConnection(self.owner.target.hostname or "", self.owner.target.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.putheader("X-Forwarded-Proto", "https")
            connection.endheaders(body)
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
            return answer.status

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "keep-alive"}:
                self.send_header(name, value)
        own = [value for name, value in headers if name.lower() == "content-length"]
        self.send_header("Content-Length", own[0] if self.command == "HEAD" and own else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - the names that http.server calls

    def handle_expect_100(self) -> bool:
        """Let the body come at once."""
        well = super().handle_expect_100()
        self.wfile.flush()
        return well

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


def _refusal(action: str) -> bytes:
    """Return what the service says to a key that it does not know, in its own form."""
    if action.startswith("sqs:"):
        return b'{"__type": "AccessDenied", "message": "not yet"}'
    return b"<Error><Code>InvalidClientTokenId</Code></Error>"


def _meaning(request: _Gate, body: bytes) -> tuple[str, str, str]:
    """Return the key, the action as IAM names it, and the resource of a request."""
    signed = _KEY.search(request.headers.get("Authorization", ""))
    key, service = signed.groups() if signed else ("nobody", "")
    if service == "sqs":
        call = request.headers["X-Amz-Target"].rpartition(".")[2].removesuffix("Batch")
        wish: dict[str, Any] = json.loads(body)
        return key, f"sqs:{call}", (wish.get("QueueUrl") or wish.get("QueueName") or "").rpartition("/")[2]
    if service in {"iam", "sts"}:
        wish = parse_qs(body.decode())
        return key, f"{service}:{wish['Action'][0]}", wish.get("UserName", [""])[0]
    return key, *_of_bucket(request.command, request.path)


def _of_bucket(method: str, path: str) -> tuple[str, str]:
    url = urlsplit(path)
    query = parse_qs(url.query, keep_blank_values=True)
    bucket, _, name = unquote(url.path).lstrip("/").partition("/")
    if name:
        if method == "DELETE":
            return "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject", name
        return "s3:GetObject" if method in {"GET", "HEAD"} else "s3:PutObject", name
    for setting, noun in _SETTINGS.items():
        if setting in query:
            return f"s3:{_METHODS[method]}{noun}", bucket
    if not bucket:
        return "s3:ListAllMyBuckets", ""
    return {"PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}.get(method, "s3:ListBucket"), bucket
