"""The metadata service of each node, under ``/nodes/{instance}/v1``."""

from __future__ import annotations

import base64
import json
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from lrtkit.local.salad.body import json_body
from lrtkit.local.salad.checks import check_deletion_cost
from lrtkit.local.salad.cloud import SaladCloud
from lrtkit.local.salad.instance import Instance
from lrtkit.local.salad.problems import Problem
from lrtkit.local.salad.replicas import Replicas

_TOKEN_S = 300


class Metadata:
    """What a node may ask about itself and ask for; a zombie's goes on answering, to no effect."""

    def __init__(self, cloud: SaladCloud) -> None:
        self._cloud = cloud

    def mount(self) -> Mount:
        """Return the routes."""
        return Mount(
            "/nodes/{instance}/v1",
            routes=[
                Route("/status", self.status, methods=["GET"]),
                Route("/token", self.token, methods=["GET"]),
                Route("/deletion-cost", self.get_deletion_cost, methods=["GET"]),
                Route("/deletion-cost", self.put_deletion_cost, methods=["PUT"]),
                Route("/reallocate", self.reallocate, methods=["POST"]),
                Route("/recreate", self.recreate, methods=["POST"]),
                Route("/restart", self.restart, methods=["POST"]),
            ],
        )

    async def status(self, request: Request) -> Response:
        """Tell whether the container runs."""
        _, instance = self._node(request)
        return JSONResponse({"ready": instance.is_running, "started": instance.is_running})

    async def token(self, request: Request) -> Response:
        """Return a token in the form of a JWT, which nobody can verify."""
        _, instance = self._node(request)
        claims = {"sub": instance.id, "salad_machine_id": instance.machine_id, "exp": int(time.time()) + _TOKEN_S}
        return JSONResponse({"jwt": ".".join([_encode({"alg": "none"}), _encode(claims), ""])})

    async def get_deletion_cost(self, request: Request) -> Response:
        """Tell the deletion cost."""
        _, instance = self._node(request)
        return JSONResponse({"deletion_cost": instance.deletion_cost})

    async def put_deletion_cost(self, request: Request) -> Response:
        """Set the deletion cost."""
        _, instance = self._node(request)
        instance.deletion_cost = check_deletion_cost(await json_body(request))
        return Response(status_code=204)

    async def reallocate(self, request: Request) -> Response:
        """Move to another machine."""
        replicas, instance = self._node(request)
        body = await json_body(request)
        reason = body.get("reason") if isinstance(body, dict) else None
        if not isinstance(reason, str) or not 1 <= len(reason) <= 1000:
            raise Problem(400, 'The body must be {"reason": "1 to 1000 characters"}')
        if _can_act(replicas, instance):
            replicas.reallocate(instance)
        return Response(status_code=204)

    async def recreate(self, request: Request) -> Response:
        """Start afresh."""
        replicas, instance = self._node(request)
        if _can_act(replicas, instance):
            replicas.recreate(instance)
        return Response(status_code=204)

    async def restart(self, request: Request) -> Response:
        """Start again."""
        replicas, instance = self._node(request)
        if _can_act(replicas, instance):
            replicas.restart(instance)
        return Response(status_code=204)

    def _node(self, request: Request) -> tuple[Replicas, Instance]:
        if request.headers.get("metadata", "").lower() != "true":
            raise Problem(403, "The header Metadata: true is missing")
        identity = request.path_params["instance"]
        if identity not in self._cloud.nodes:
            raise Problem(404, f"There is no node of an instance {identity}")
        return self._cloud.nodes[identity]


def _can_act(replicas: Replicas, instance: Instance) -> bool:
    return instance.id in replicas.instances and not instance.leaving


def _encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
