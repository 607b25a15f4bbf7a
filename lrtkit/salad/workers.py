"""A container group of workers, from a small description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrtkit.salad.answers import GpuClass, Group
from lrtkit.salad.client import SaladClient
from lrtkit.wire.errors import BadInput, NotFound
from lrtkit.wire.settings import read_env_file


@dataclass(frozen=True)
class Workers:
    """What a replica is: an image, the worker's env file, its settings, and its share of a machine.

    ``settings`` are variables beside those of the file, such as ``LRT_WORKLOAD``. ``gpu_classes`` are
    names such as ``RTX 4090`` or ids, as ``SaladClient.gpu_classes`` lists them; none is a group without GPUs.
    ``disk_gb`` is for what the workload downloads and writes; without it SaladCloud gives its least.
    """

    name: str
    image: str
    env_file: str | Path
    settings: Mapping[str, str] = field(default_factory=dict)
    cpu: int = 1
    memory_mb: int = 1024
    disk_gb: int | None = None
    gpu_classes: Sequence[str] = ()
    priority: str = "batch"

    def to_spec(self, gpu_class_ids: Sequence[str] = ()) -> dict[str, Any]:
        """Return the API's fields; SaladCloud refuses empty values in an environment and an empty list of classes."""
        environment = {**read_env_file(self.env_file), **self.settings}
        resources: dict[str, Any] = {"cpu": self.cpu, "memory": self.memory_mb}
        if gpu_class_ids:
            resources["gpu_classes"] = list(gpu_class_ids)
        if self.disk_gb is not None:
            resources["storage_amount"] = self.disk_gb * 2**30
        return {
            "name": self.name,
            "autostart_policy": False,
            "restart_policy": "always",
            "replicas": 0,
            "container": {
                "image": self.image,
                "resources": resources,
                "priority": self.priority,
                "environment_variables": {name: value for name, value in environment.items() if value},
            },
        }


def deploy(client: SaladClient, workers: Workers) -> Group:
    """Create the container group, stopped and without replicas, or bring the one of its name up to date.

    A change of image, command or environment restarts the replicas; where nothing has changed
    nothing is called for. Raises BadInput for a GPU class that is not offered.
    """
    spec = workers.to_spec(_ids(client, workers.gpu_classes))
    try:
        found = client.get_group(workers.name)
    except NotFound:
        return client.create_group(spec)
    return found if _is_like(found, spec["container"]) else client.patch_group(workers.name, _changes(found, spec))


def _is_like(found: Group, container: Mapping[str, Any]) -> bool:
    resources = container["resources"]
    return (
        found.image == container["image"]
        and dict(found.environment) == container["environment_variables"]
        and (found.cpu, found.memory_mb) == (resources["cpu"], resources["memory"])
        and resources.get("storage_amount") in {None, found.disk_bytes}
        and set(found.gpu_classes) == set(resources.get("gpu_classes", ()))
        and found.priority == container["priority"]
    )


def _changes(found: Group, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch, in which null stands for what is to go."""
    container = spec["container"]
    environment = {**dict.fromkeys(found.environment), **container["environment_variables"]}
    resources = {"gpu_classes": None, **container["resources"]}
    return {"container": {**container, "resources": resources, "environment_variables": environment}}


def _ids(client: SaladClient, wanted: Sequence[str]) -> list[str]:
    """Return the ids of GPU classes given by id, by name, or by the only beginning of a name that fits."""
    offered = client.gpu_classes() if wanted else []
    return [_id(each, offered) for each in wanted]


def _id(wanted: str, offered: Sequence[GpuClass]) -> str:
    exact = [each.id for each in offered if wanted in {each.id, each.name}]
    fitting = exact or [each.id for each in offered if each.name.lower().startswith(wanted.lower())]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(sorted(each.name for each in offered))
    raise BadInput(f"{len(fitting) or 'no'} GPU classes are called {wanted!r}. Try: one of {names}")
