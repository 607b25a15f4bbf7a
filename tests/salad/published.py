"""A SaladCloud made from the published field lists: one group whose every answer has every field there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from lrtkit.salad import SaladClient, SaladSettings
from tests.serving import serving

KEY = "a-secret-key"
PLACE = "/api/public/organizations/acme"
GROUPS = f"{PLACE}/projects/demo/containers"
NOW = "2026-11-24T16:32:37.5794153+00:00"

INSTANCE = {
    "id": "instance-0",
    "machine_id": "machine-0",
    "state": "running",
    "update_time": NOW,
    "version": 1,
    "ready": True,
    "started": True,
    "deletion_cost": 0,
    "cpu_percent": 12.5,
    "cpu_usage": 3,
    "cpu_usage_total": 300,
    "memory_usage_mb": 512.0,
    "memory_usage_percent": 50.0,
    "pulling_progress": 100.0,
    "ssh_host_key_fingerprint": "SHA256:x",
    "ssh_ip": "127.0.0.1",
    "ssh_port": 22,
}
GPU_CLASS = {
    "id": "ed563892-aacd-40f5-80b7-90c9be6c759b",
    "name": "RTX 4090 (24 GB)",
    "prices": [{"priority": "high", "price": "0.330"}, {"priority": "batch", "price": "0.160"}],
    "gpu_class_type": "community",
    "gpu_count": 1,
    "is_high_demand": False,
    **{f"{bound}_{what}": 1024 for bound in ("min", "max") for what in ("ram", "storage", "vcpu")},
}
QUOTAS = {
    "container_groups_quotas": {
        "container_replicas_quota": 100,
        "container_replicas_used": 40,
        "max_container_group_reallocations_per_minute": 10,
        "max_container_group_recreates_per_minute": 10,
        "max_container_group_restarts_per_minute": 10,
    },
    "create_time": NOW,
    "update_time": NOW,
}


@dataclass
class Published:
    """The state of the one group, what was asked, and what is to go wrong (status by method and end of path)."""

    url: str = ""
    replicas: int = 0
    status: str = "stopped"
    instances: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=lambda: {"LRT_LEASE_SECONDS": "120"})
    asked: list[tuple[str, str]] = field(default_factory=list)
    trouble: dict[tuple[str, str], int] = field(default_factory=dict)
    meddle: Callable[[Published], None] | None = None
    """Somebody else, who changes the group right after it was patched."""

    def client(self, **changes: Any) -> SaladClient:
        """Return a client of this cloud, which never waits."""
        settings = SaladSettings("acme", "demo", KEY, f"{self.url}/api/public", timeout_s=5)
        return SaladClient(settings, sleep=lambda _: None, **changes)

    def runs(self, count: int, *, busy: int = 0) -> None:
        """Let so many instances run, of which so many have a deletion cost."""
        self.status, self.replicas = "running", count
        self.instances = [
            {**INSTANCE, "id": f"instance-{number}", "deletion_cost": int(number < busy)} for number in range(count)
        ]

    def changes(self) -> list[str]:
        """Return the calls that were to change something."""
        return [f"{method} {path.rpartition('/')[2]}" for method, path in self.asked if method != "GET"]

    def group(self) -> dict[str, Any]:
        """Return the group with every published field."""
        counts = {f"{state}_count": 0 for state in ("allocating", "creating", "running", "stopping")}
        return {
            "id": "group-0",
            "name": "workers",
            "display_name": "workers",
            "organization_name": "acme",
            "project_name": "demo",
            "container": {
                "image": "lrtkit-worker",
                "command": None,
                "environment_variables": self.environment,
                "hash": f"sha256:{'a' * 64}",
                "image_caching": True,
                "logging": {},
                "resources": {
                    "cpu": 1,
                    "memory": 1024,
                    "gpu_classes": [GPU_CLASS["id"]],
                    "storage_amount": 2**30,
                    "shm_size": 64,
                },
                "size": 5_000_000_000,
            },
            "autostart_policy": False,
            "restart_policy": "always",
            "replicas": self.replicas,
            "priority": "batch",
            "current_state": {
                "status": self.status,
                "description": None,
                "start_time": NOW,
                "finish_time": NOW,
                "instance_status_counts": {**counts, "running_count": len(self.instances)},
            },
            "country_codes": [],
            "create_time": NOW,
            "update_time": NOW,
            "pending_change": False,
            "version": 4,
            "readme": "Workers.",
            "liveness_probe": None,
            "readiness_probe": None,
            "startup_probe": None,
            "scaling-actions": [],
            "scheduled-scaling-enabled": False,
        }

    def answer(self, method: str, path: str, key: str | None, body: Any) -> tuple[int, Any]:
        """Return status and content for one call."""
        self.asked.append((method, path))
        trouble = next(
            (status for (verb, end), status in self.trouble.items() if verb == method and path.endswith(end)), 0
        )
        if trouble:
            return trouble, {"title": "trouble", "detail": "as the test wants it"}
        if key != KEY:
            return 403, "<html><body>Forbidden</body></html>"
        if not path.startswith(PLACE + "/") or ("/projects/" in path and not path.startswith(GROUPS)):
            return 404, {"title": "Not Found", "detail": "no such organization or project"}
        return self._served(method, path.removeprefix(PLACE), body)

    def _served(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path in {"/quotas", "/gpu-classes"}:
            return 200, QUOTAS if path == "/quotas" else {"items": [GPU_CLASS]}
        name, *rest = path.removeprefix("/projects/demo/containers").strip("/").split("/")
        if name not in {"", "workers"}:
            return 404, {"title": "Not Found", "detail": f"there is no container group {name}"}
        return (
            self._instance(method, rest[1:], body)
            if rest[:1] == ["instances"]
            else self._group(method, name, rest, body)
        )

    def _group(self, method: str, name: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if rest:
            self.status = {"start": "deploying", "stop": "stopped"}[rest[0]]
            return 202, None
        if method == "PATCH":
            if not 0 <= body["replicas"] <= 500:
                return 400, {"title": "Bad Request", "detail": "replicas must be between 0 and 500"}
            if body["replicas"] > self.replicas + 60:
                return 400, {"title": "Bad Request", "detail": "the quota of 100 replicas is exceeded"}
            self.replicas = body["replicas"]
            answer = self.group()
            if self.meddle:
                self.meddle(self)
            return 200, answer
        if method == "DELETE":
            return 202, None
        return (201 if method == "POST" else 200), self.group() if name or method == "POST" else {
            "items": [self.group()]
        }

    def _instance(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if not rest:
            return 200, {"instances": self.instances}
        found = next(each for each in self.instances if each["id"] == rest[0])
        if method == "POST":
            self.instances.remove(found)
            return 202, None
        found.update(body or {})
        return (202 if method == "GET" else 200), found


@contextmanager
def served(cloud: Published) -> Iterator[Published]:
    """Serve the cloud on a port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            given = json.loads(body) if body else None
            status, content = cloud.answer(self.command, self.path, self.headers.get("Salad-Api-Key"), given)
            data = (
                b""
                if content is None
                else content.encode()
                if isinstance(content, str)
                else json.dumps(content).encode()
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "text/html" if isinstance(content, str) else "application/json")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    with serving(Handler) as cloud.url:
        yield cloud
