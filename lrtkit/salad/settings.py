"""Where the SaladCloud API is and who calls it."""

from __future__ import annotations

import os
import re
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
        key, base_url = env["salad_api_key"], env.get("salad_base_url") or BASE_URL
        if not re.fullmatch(r"[!-~]+", key):
            raise BadInput("salad_api_key has a blank or a letter that no key has. Try: copy it anew")
        if not re.match(r"https?://[^/]", base_url):
            raise BadInput(f"salad_base_url is {base_url!r} and must begin with https://. Try: leave it out")
        place = (env["salad_org"], env["salad_project"], key, base_url.rstrip("/"))
        return cls(*place, timeout_s=min(cls.timeout_s, patience_s), patience_s=patience_s)
