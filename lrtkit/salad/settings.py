"""Where the SaladCloud API is and who calls it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from lrtkit.wire.errors import BadInput

BASE_URL = "https://api.salad.com/api/public"


@dataclass(frozen=True)
class SaladSettings:
    """Where the container groups are, and the key to them.

    One attempt waits ``timeout_s`` for an answer; after ``patience_s`` a call is not tried again.
    """

    organization: str
    project: str
    api_key: str = field(repr=False)
    base_url: str = BASE_URL
    timeout_s: float = 15
    patience_s: float = 60

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, *, patience_s: float = 60) -> SaladSettings:
        """Read the autoscaler's variables; raise BadInput that names all that are missing."""
        missing = [name for name in ("salad_org", "salad_project", "salad_api_key") if not env.get(name)]
        if missing:
            raise BadInput(f"the environment lacks {', '.join(missing)}. Try: read autoscaler.env, or set them there")
        base_url = env.get("salad_base_url") or BASE_URL
        place = (env["salad_org"], env["salad_project"], env["salad_api_key"], base_url.rstrip("/"))
        return cls(*place, timeout_s=min(cls.timeout_s, patience_s), patience_s=patience_s)
