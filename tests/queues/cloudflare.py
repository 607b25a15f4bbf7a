"""A stand-in for Cloudflare's API: tokens with their policies, buckets' permission groups, temporary keys."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.serving import END_S

ACCOUNT = "0123456789abcdef0123456789abcdef"
GROUPS = [
    {"id": "group-read", "name": "Workers R2 Storage Bucket Item Read"},
    {"id": "group-write", "name": "Workers R2 Storage Bucket Item Write"},
    {"id": "group-admin", "name": "Workers R2 Storage Write"},
]


@dataclass
class FakeCloudflare:
    """What the API knows, and the server that tells it."""

    token: str = field(default="the-cloudflare-token", repr=False)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    wishes: list[dict[str, Any]] = field(default_factory=list)
    places: list[str | None] = field(default_factory=list)
    refusal: tuple[int, bytes] | None = None

    def __post_init__(self) -> None:
        """Listen on 127.0.0.1, and know some tokens of others."""
        for number in range(60):
            self.tokens[f"other-{number}"] = {"id": f"other-{number}", "name": "somebody else's", "status": "active"}
        fake = self

        class Handler(_Handler):
            owner = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(END_S,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/client/v4"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def own(self) -> list[dict[str, Any]]:
        """The tokens that are not somebody else's."""
        return [token for name, token in self.tokens.items() if not name.startswith("other-")]

    def answer(self, method: str, path: str, query: dict[str, list[str]], wish: Any) -> Any:
        """Return a result; raise KeyError where there is nothing of that kind."""
        if path.startswith("tokens"):
            return self._of_tokens(method, path.removeprefix("tokens").lstrip("/"), query, wish)
        if (method, path) == ("POST", "r2/temp-access-credentials"):
            self.wishes.append(wish)
            return {"accessKeyId": "TEMPORARY", "secretAccessKey": "temporary-secret", "sessionToken": "temporary"}
        raise KeyError(path)

    def _of_tokens(self, method: str, name: str, query: dict[str, list[str]], wish: Any) -> Any:
        fixed = {"verify": {"id": "admin-token", "status": "active"}, "permission_groups": GROUPS}
        if method == "POST":
            token = {"id": uuid.uuid4().hex, "status": "active", "issued_on": "2026-11-01T05:20:00Z", **wish}
            self.tokens[token["id"]] = token
            return {**token, "value": f"value-of-{token['id']}"}
        if method == "DELETE":
            return {"id": self.tokens.pop(name)["id"]}
        if method == "PUT":
            self.tokens[name] |= wish
        if name:
            return fixed.get(name) or self.tokens[name]
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return list(self.tokens.values())[(page - 1) * size : page * size]


class _Handler(BaseHTTPRequestHandler):
    owner: FakeCloudflare

    def _serve(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        root = f"/client/v4/accounts/{ACCOUNT}/"
        self.owner.places.append(self.headers["cf-r2-jurisdiction"])
        if self.owner.refusal:
            self._write(*self.owner.refusal)
        elif self.headers["Authorization"] != f"Bearer {self.owner.token}":
            self._say(403, {"success": False, "errors": [{"code": 9109, "message": "Unauthorized to access it"}]})
        elif not url.path.startswith(root):
            self._say(404, {"success": False, "errors": [{"code": 7003, "message": "No such account"}]})
        else:
            wish = json.loads(body) if body else None
            result = self.owner.answer(self.command, url.path.removeprefix(root), parse_qs(url.query), wish)
            self._say(200, {"success": True, "errors": [], "result": result})

    def _say(self, status: int, answer: Any) -> None:
        self._write(status, json.dumps(answer).encode())

    def _write(self, status: int, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""
