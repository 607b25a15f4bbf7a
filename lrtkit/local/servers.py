"""The two servers of a local cloud: sockets on 127.0.0.1, and what listens on them."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import time
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette

from lrtkit.local.calls import answers
from lrtkit.local.salad.environment import inherited
from lrtkit.wire.errors import BadInput, Unavailable

_HOST = "127.0.0.1"
_ANSWER_S = 45
_POLL_S = 0.05


def listen(port: int, *, option: str) -> socket.socket:
    """Return a listening socket; one that is bound here cannot be lost to another program before its server is up."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((_HOST, port))
        sock.listen()
    except OSError as error:
        sock.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else "may not be used by this user"
        raise BadInput(
            f"Port {port} on {_HOST} {why}, so no cloud was started. Try: another port with --{option}, or 0 for any"
        ) from error
    return sock


def url_of(sock: socket.socket) -> str:
    """Return the URL under which the socket's server is reached."""
    return f"http://{_HOST}:{sock.getsockname()[1]}"


async def start_ministack(sock: socket.socket, *, log: Path, marks: dict[str, str]) -> asyncio.subprocess.Process:
    """Start ministack (SQS and S3) on the socket, with none of the ports that it would open beside it."""
    environment = {
        **inherited(),
        **marks,
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(sock.getsockname()[1]),
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "WARNING",
        "IOT_MTLS_ENABLED": "0",  # else it listens on every interface, port 8883
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nowhere",  # else it clears away other ministacks' containers
    }
    server = ["hypercorn", "ministack.app:app", "--bind", f"fd://{sock.fileno()}", "--workers", "0"]
    port = sock.getsockname()[1]
    for name in (_HOST, "localhost"):  # a web page could reach this machine by a name of its own
        server += ["--server-name", f"{name}:{port}"]
    with log.open("ab") as output, sock:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *server, "--keep-alive", "75", "--log-level", "WARNING"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[sock.fileno()],
        )


async def serve_app(app: Starlette, sock: socket.socket, *, until: asyncio.Event) -> None:
    """Serve the application in this event loop."""
    config = Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    await serve(app, config, shutdown_trigger=until.wait)  # type: ignore[arg-type]


async def wait_until_answers(url: str) -> None:
    """Return once the URL answers 200."""
    deadline = time.monotonic() + _ANSWER_S
    while not await asyncio.to_thread(answers, url, timeout_s=_ANSWER_S):
        if time.monotonic() > deadline:
            raise Unavailable(f"{url} does not answer within {_ANSWER_S} s")
        await asyncio.sleep(_POLL_S)
