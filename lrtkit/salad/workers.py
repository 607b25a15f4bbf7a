"""A container group of workers, from a small description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrtkit.salad.answers import Group
from lrtkit.salad.client import SaladClient
from lrtkit.wire.errors import NotFound
from lrtkit.wire.settings import read_env_file


@dataclass(frozen=True)
class Workers:
    """What a replica is: an image, the worker's env file, its settings, and its share of a machine.

    ``settings`` are variables beside those of the file, such as ``LRT_WORKLOAD``. ``gpu_classes`` are
    ids as ``SaladClient.gpu_classes`` lists them; none is a group without GPUs.
    """

    name: str
    image: str
    env_file: str | Path
    settings: Mapping[str, str] = field(default_factory=dict)
    cpu: int = 1
    memory_mb: int = 1024
    gpu_classes: Sequence[str] = ()
    priority: str = "batch"

    def to_spec(self) -> dict[str, Any]:
        """Return the API's fields; SaladCloud refuses empty values in an environment and an empty list of classes."""
        environment = {**read_env_file(self.env_file), **self.settings}
        gpu_classes = {"gpu_classes": list(self.gpu_classes)} if self.gpu_classes else {}
        return {
            "name": self.name,
            "autostart_policy": False,
            "restart_policy": "always",
            "replicas": 0,
            "container": {
                "image": self.image,
                "resources": {"cpu": self.cpu, "memory": self.memory_mb, **gpu_classes},
                "priority": self.priority,
                "environment_variables": {name: value for name, value in environment.items() if value},
            },
        }


def deploy(client: SaladClient, workers: Workers) -> Group:
    """Create the container group, stopped and without replicas, or bring the one of its name up to date.

    A change of image, resources or environment restarts the replicas; where nothing has changed
    nothing is called for.
    """
    spec = workers.to_spec()
    try:
        found = client.get_group(workers.name)
    except NotFound:
        return client.create_group(spec)
    container = spec["container"]
    same = (
        found.image == workers.image
        and dict(found.environment) == container["environment_variables"]
        and (found.cpu, found.memory_mb) == (workers.cpu, workers.memory_mb)
        and found.gpu_classes == tuple(workers.gpu_classes)
    )
    return found if same else client.patch_group(workers.name, {"container": container})
