"""Servers of the tests' own, in a thread each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = ("127.0.0.1", 0)

END_S = 0.02
"""How soon a server sees that it is to end: the half second that it would take is longer than most tests of it."""


@contextmanager
def serving(by: type[BaseHTTPRequestHandler] | ThreadingHTTPServer) -> Iterator[str]:
    """Let a server, or one made for a handler, answer while the body runs; yield its URL."""
    server = by if isinstance(by, ThreadingHTTPServer) else ThreadingHTTPServer(LOOPBACK, by)
    server.daemon_threads = True
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(END_S,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
