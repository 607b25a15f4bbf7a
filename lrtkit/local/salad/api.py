"""The public API under ``/api/public``."""

from __future__ import annotations

from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from lrtkit.local.envfiles import ORGANIZATION, PROJECT
from lrtkit.local.salad.body import json_body
from lrtkit.local.salad.checks import check_deletion_cost
from lrtkit.local.salad.cloud import SaladCloud
from lrtkit.local.salad.instance import Instance
from lrtkit.local.salad.prices import GPU_CLASSES
from lrtkit.local.salad.problems import Problem
from lrtkit.local.salad.replicas import Replicas

T = TypeVar("T")

_GROUPS = "/projects/{project}/containers"
_GROUP = _GROUPS + "/{group}"
_INSTANCE = _GROUP + "/instances/{instance}"


class Api:
    """The calls of the public API that the kit makes."""

    def __init__(self, cloud: SaladCloud) -> None:
        self._cloud = cloud

    def mount(self) -> Mount:
        """Return the routes."""
        return Mount(
            "/api/public/organizations/{organization}",
            routes=[
                Route("/quotas", self.quotas),
                Route("/gpu-classes", self.gpu_classes),
                Route(_GROUPS, self.list_groups, methods=["GET"]),
                Route(_GROUPS, self.create_group, methods=["POST"]),
                Route(_GROUP, self.get_group, methods=["GET"]),
                Route(_GROUP, self.patch_group, methods=["PATCH"]),
                Route(_GROUP, self.delete_group, methods=["DELETE"]),
                Route(_GROUP + "/{action}", self.act_on_group, methods=["POST"]),
                Route(_GROUP + "/instances", self.list_instances, methods=["GET"]),
                Route(_INSTANCE, self.get_instance, methods=["GET"]),
                Route(_INSTANCE, self.patch_instance, methods=["PATCH"]),
                Route(_INSTANCE + "/{action}", self.act_on_instance, methods=["POST"]),
            ],
        )

    async def quotas(self, request: Request) -> Response:
        """Tell how many replicas may be asked for."""
        _check_place(request)
        quotas = {
            "container_replicas_quota": self._cloud.settings.replicas_quota,
            "container_replicas_used": self._cloud.replicas_used,
        }
        return JSONResponse({"container_groups_quotas": quotas})

    async def gpu_classes(self, request: Request) -> Response:
        """List the GPU classes with their prices."""
        _check_place(request)
        return JSONResponse({"items": GPU_CLASSES})

    async def list_groups(self, request: Request) -> Response:
        """List the groups, all at once."""
        _check_place(request)
        return JSONResponse({"items": [_read(replicas) for replicas in self._cloud.groups.values()]})

    async def create_group(self, request: Request) -> Response:
        """Create a group."""
        _check_place(request)
        replicas = self._cloud.create(await json_body(request))
        return JSONResponse(_read(replicas), 201, {"Location": f"{request.url.path}/{replicas.group.name}"})

    async def get_group(self, request: Request) -> Response:
        """Read a group."""
        return JSONResponse(_read(self._group(request)))

    async def patch_group(self, request: Request) -> Response:
        """Change a group."""
        replicas = self._group(request)
        self._cloud.change(replicas, await json_body(request, media_type="application/merge-patch+json"))
        return JSONResponse(_read(replicas))

    async def delete_group(self, request: Request) -> Response:
        """Delete a group."""
        self._cloud.delete(self._group(request))
        return Response(status_code=202)

    async def act_on_group(self, request: Request) -> Response:
        """Start or stop a group."""
        replicas = self._group(request)
        actions = {"start": replicas.group.start, "stop": replicas.group.stop}
        _choose(request, actions)()
        replicas.reconcile()
        return Response(status_code=202)

    async def list_instances(self, request: Request) -> Response:
        """List the instances, those that are stopping too."""
        instances = self._group(request).instances.values()
        return JSONResponse({"instances": [instance.read() for instance in instances]})

    async def get_instance(self, request: Request) -> Response:
        """Read an instance; the real API answers 202 as well."""
        _, instance = self._instance(request)
        return JSONResponse(instance.read(), 202)

    async def patch_instance(self, request: Request) -> Response:
        """Set an instance's deletion cost."""
        _, instance = self._instance(request)
        body = await json_body(request, media_type="application/merge-patch+json")
        instance.deletion_cost = check_deletion_cost(body)
        return JSONResponse(instance.read())

    async def act_on_instance(self, request: Request) -> Response:
        """Reallocate, recreate or restart an instance."""
        replicas, instance = self._instance(request)
        actions = {
            "reallocate": replicas.reallocate,
            "recreate": replicas.recreate,
            "restart": replicas.restart,
        }
        action = _choose(request, actions)
        if not instance.leaving:
            action(instance)
        return Response(status_code=202)

    def _group(self, request: Request) -> Replicas:
        _check_place(request)
        name = request.path_params["group"]
        if name not in self._cloud.groups:
            raise Problem(404, f"There is no container group {name}")
        return self._cloud.groups[name]

    def _instance(self, request: Request) -> tuple[Replicas, Instance]:
        replicas = self._group(request)
        identity = request.path_params["instance"]
        if identity not in replicas.instances:
            raise Problem(404, f"There is no instance {identity} in {replicas.group.name}")
        return replicas, replicas.instances[identity]


def _read(replicas: Replicas) -> dict[str, Any]:
    return replicas.group.read(replicas.instances.values())


def _check_place(request: Request) -> None:
    if request.path_params["organization"] != ORGANIZATION:
        raise Problem(404, f"There is no organization {request.path_params['organization']}; this is {ORGANIZATION}")
    if request.path_params.get("project", PROJECT) != PROJECT:
        raise Problem(404, f"There is no project {request.path_params['project']}; this is {PROJECT}")


def _choose(request: Request, actions: dict[str, T]) -> T:
    action = request.path_params["action"]
    if action not in actions:
        raise Problem(404, f"There is no action {action}")
    return actions[action]
