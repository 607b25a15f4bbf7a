"""What the public API accepts as a container group."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lrtkit.local.salad.prices import GPU_CLASS_IDS, PRIORITIES
from lrtkit.local.salad.problems import Problem

Check = tuple[Callable[[Any], bool], str]

_IGNORED = {  # accepted by the real API and without meaning here
    "liveness_probe", "networking", "queue_autoscaler", "queue_connection", "readiness_probe", "readme",
    "scaling-actions", "scheduled-scaling-enabled", "startup_probe",
}  # fmt: skip
_UNCHANGEABLE = {"name", "autostart_policy", "restart_policy"}


def check_new(spec: object) -> dict[str, Any]:
    """Return the group's specification; raise a 400 that tells everything wrong with it."""
    if not isinstance(spec, dict):
        raise Problem(400, "The body must be a JSON object")
    problems = [*_unknown(spec), *(problem for path in _CHECKS if (problem := _problem(spec, path)))]
    if problems:
        raise Problem(400, "; ".join(problems))
    return spec


def check_changed(spec: dict[str, Any], patch: object) -> dict[str, Any]:
    """Return the specification after a merge patch; raise a 400 where the patch or its outcome is refused."""
    if not isinstance(patch, dict):
        raise Problem(400, "The body must be a JSON object")
    if refused := sorted(_UNCHANGEABLE & set(patch)):
        raise Problem(400, f"{', '.join(refused)} cannot be changed; delete the group and create it anew")
    return check_new(merge(spec, patch))


def check_deletion_cost(body: object) -> int:
    """Return the deletion cost that a body ``{"deletion_cost": n}`` asks for."""
    if not isinstance(body, dict) or set(body) != {"deletion_cost"} or not _whole(0, 100_000)(body["deletion_cost"]):
        raise Problem(400, 'The body must be {"deletion_cost": n} with a whole number from 0 to 100000')
    return int(body["deletion_cost"])


def merge(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def _unknown(spec: Mapping[str, Any]) -> list[str]:
    known = {path.partition(".")[0] for path in _CHECKS} | _IGNORED
    return [f"{name} is no field of a container group" for name in spec if name not in known]


def _problem(spec: Any, path: str) -> str:
    fits, must = _CHECKS[path]
    value = spec
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return f"{path} is missing" if path in _REQUIRED else ""
    return "" if fits(value) else f"{path} must {must}"


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _one_of(*values: str) -> Check:
    return (lambda value: value in values), f"be one of {', '.join(values)}"


def _is_command(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(map(_text(r"(?s).{1,1000}"), value))


def _is_environment(value: Any) -> bool:
    return isinstance(value, dict) and all(value) and all(map(_text(r".{1,1000}"), value.values()))


def _is_gpu_classes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item in GPU_CLASS_IDS for item in value)


def _is_countries(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text(r"[a-z]{2}"), value))


_REQUIRED = {
    "name", "autostart_policy", "restart_policy", "replicas", "container", "container.image", "container.resources",
    "container.resources.cpu", "container.resources.memory",
}  # fmt: skip
_CHECKS: dict[str, Check] = {
    "name": (_text(r"[a-z][a-z0-9-]{0,61}[a-z0-9]"), "match ^[a-z][a-z0-9-]{0,61}[a-z0-9]$"),
    "display_name": (_text(r"[ ,-.0-9A-Za-z]{2,63}"), "have 2 to 63 letters, digits, blanks and ,-."),
    "autostart_policy": (lambda value: isinstance(value, bool), "be true or false"),
    "restart_policy": _one_of("always", "on_failure", "never"),
    "replicas": (_whole(0, 500), "be a whole number from 0 to 500"),
    "country_codes": (_is_countries, "name at least one country (leave it out for all of them)"),
    "container": (lambda value: isinstance(value, dict), "be an object"),
    "container.image": (_text(r".{1,1024}"), "have 1 to 1024 characters"),
    "container.resources": (lambda value: isinstance(value, dict), "be an object"),
    "container.resources.cpu": (_whole(1, 1024), "be a whole number from 1 to 1024"),
    "container.resources.memory": (_whole(1024, 2**30), "be a whole number of MB from 1024"),
    "container.resources.storage_amount": (_whole(2**30, 2**50), "be a whole number of bytes from 1073741824"),
    "container.resources.gpu_classes": (_is_gpu_classes, "list ids from gpu-classes"),
    "container.command": (_is_command, "list at most 100 texts of 1 to 1000 characters"),
    "container.environment_variables": (_is_environment, "map names to texts of 1 to 1000 characters in one line"),
    "container.priority": _one_of(*PRIORITIES),
}
