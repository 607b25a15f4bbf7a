"""What the real SaladCloud has not: settings, interruptions on demand and their log, under ``/local``."""

from __future__ import annotations

import dataclasses

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from lrtkit.local.salad.body import json_body
from lrtkit.local.salad.cloud import SaladCloud
from lrtkit.local.salad.interruptions import Interruptions
from lrtkit.local.salad.problems import Problem
from lrtkit.local.salad.settings import Kind


class Extras:
    """The local cloud's own calls."""

    def __init__(self, cloud: SaladCloud, interruptions: Interruptions) -> None:
        self._cloud = cloud
        self._interruptions = interruptions

    def mount(self) -> Mount:
        """Return the routes."""
        return Mount(
            "/local",
            routes=[
                Route("/status", self.status, methods=["GET"]),
                Route("/settings", self.get_settings, methods=["GET"]),
                Route("/settings", self.set_settings, methods=["POST"]),
                Route("/interrupt", self.interrupt, methods=["POST"]),
                Route("/interruptions", self.list_interruptions, methods=["GET"]),
            ],
        )

    async def status(self, _request: Request) -> Response:
        """Tell that the cloud answers, how many replicas run in each group, and how the last of its workers failed."""
        return JSONResponse(
            {
                name: {"running": len(replicas.running), "trouble": replicas.group.trouble}
                for name, replicas in self._cloud.groups.items()
            }
        )

    async def get_settings(self, _request: Request) -> Response:
        """Tell the settings."""
        return JSONResponse(dataclasses.asdict(self._cloud.settings))

    async def set_settings(self, request: Request) -> Response:
        """Change some settings and tell them all."""
        changes = await json_body(request)
        if not isinstance(changes, dict):
            raise Problem(400, "The body must be an object of settings")
        return JSONResponse(dataclasses.asdict(self._cloud.set(changes)))

    async def interrupt(self, request: Request) -> Response:
        """Interrupt a replica now."""
        body = await json_body(request)
        kind = body.get("kind") if isinstance(body, dict) else None
        if kind not in set(Kind):
            raise Problem(400, f"kind must be one of {', '.join(Kind)}, not {kind!r}")
        return JSONResponse(self._interruptions.interrupt(Kind(kind), body.get("instance_id")))

    async def list_interruptions(self, _request: Request) -> Response:
        """List the interruptions so far, oldest first."""
        return JSONResponse(list(self._interruptions.log))
