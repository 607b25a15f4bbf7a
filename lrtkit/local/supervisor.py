"""The background process of a local cloud: it owns the servers and the replicas, and they end with it.

Started by ``lrtkit.local.up``, which waits for one line on its standard output: ready, or why not.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

import urllib3

from lrtkit.local import processes
from lrtkit.local.envfiles import write_env_files
from lrtkit.local.folder import Folder
from lrtkit.local.launch import Launch
from lrtkit.local.salad.app import salad_app
from lrtkit.local.salad.cloud import SaladCloud
from lrtkit.local.salad.interruptions import Interruptions
from lrtkit.local.salad.settings import Settings
from lrtkit.local.salad.times import stamp
from lrtkit.local.servers import listen, serve_app, start_ministack, url_of, wait_until_answers
from lrtkit.wire.errors import LrtError, Unavailable

_FILES = 65_536  # open files: every worker keeps several connections
_log = logging.getLogger(__name__)


def main() -> None:
    """Leave the parent, run the cloud until it is told to end, and report how the start went."""
    report = Report()
    folder = Folder.at(os.environ[processes.CLOUD])
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _raise_file_limit()
    try:
        asyncio.run(Supervisor(folder, Launch.from_json(sys.argv[1]), report=report).run())
    except LrtError as error:
        _log.error("%s", error)
        report.send({"error": type(error).__name__, "sentence": str(error)})
    except Exception:  # noqa: BLE001 - the last door: whatever it was, it is logged and `up` is told
        _log.exception("the local cloud failed")
        report.send({"error": "Unavailable", "sentence": f"The local cloud failed. Try: read {folder.log}"})


class Report:
    """The pipe to the waiting ``up``; making it leaves the parent, so that nobody has to bury this process."""

    def __init__(self) -> None:
        if os.fork():
            os._exit(0)
        self._pipe: int | None = os.dup(1)
        os.dup2(2, 1)

    def send(self, news: Mapping[str, Any]) -> None:
        """Send once; an ``up`` that is gone by then raises BrokenPipeError, and nobody wants the cloud."""
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            os.write(pipe, json.dumps(news).encode())
            os.close(pipe)


class Supervisor:
    """One run of a local cloud."""

    def __init__(self, folder: Folder, launch: Launch, *, report: Report) -> None:
        self._folder = folder
        self._launch = launch
        self._report = report
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Start everything, say so, wait for the end, and leave nothing behind."""
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, self._ended.set)
        aws = listen(self._launch.sqs_port, option="sqs-port")
        salad = listen(self._launch.salad_port, option="salad-port")
        try:
            await self._serve(aws, salad)
        finally:
            processes.sweep(self._folder.marks)
            self._folder.clear()

    async def _serve(self, aws: socket.socket, salad: socket.socket) -> None:
        urls = {"sqs_url": url_of(aws), "salad_url": f"{url_of(salad)}/api/public"}
        ministack = await start_ministack(aws, log=self._folder.log, marks=self._folder.marks)
        cloud = SaladCloud(Settings().changed(self._launch.settings), folder=self._folder, url=url_of(salad))
        key = secrets.token_hex(20)
        server = asyncio.create_task(self._serve_salad(cloud, salad, key=key))
        await self._unless_ended(ministack, self._start(urls, key))
        self._report.send({})
        await self._unless_ended(ministack, self._ended.wait())
        await cloud.close()
        await server

    async def _serve_salad(self, cloud: SaladCloud, sock: socket.socket, *, key: str) -> None:
        interruptions = Interruptions(cloud)
        cloud.spawn(interruptions.happen())
        await serve_app(salad_app(cloud, interruptions, key=key), sock, until=self._ended)

    async def _start(self, urls: Mapping[str, str], key: str) -> None:
        await wait_until_answers(f"{urls['sqs_url']}/_ministack/health")
        await wait_until_answers(urls["salad_url"].replace("/api/public", "/local/status"))
        write_env_files(self._folder, self._launch, aws_url=urls["sqs_url"], salad_url=urls["salad_url"], salad_key=key)
        names = {name: getattr(self._launch, name) for name in ("queue", "dead_letter_queue", "bucket")}
        ports = {name.replace("url", "port"): urllib3.util.parse_url(url).port for name, url in urls.items()}
        self._folder.write_state({"pid": os.getpid(), "started_at": stamp(), **urls, **ports, **names})

    async def _unless_ended(self, ministack: asyncio.subprocess.Process, work: Any) -> None:
        """Do the work; SQS and S3 are gone with ministack, and a cloud without them is none."""
        working, watch = asyncio.ensure_future(work), asyncio.ensure_future(ministack.wait())
        await asyncio.wait({working, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Unavailable(
                f"ministack ended with code {watch.result()}, and the local cloud with it. Try: read {self._folder.log}"
            )
        watch.cancel()
        await working


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


if __name__ == "__main__":
    main()
