"""Secrets that do not show themselves: not in a repr, and so in no traceback that tells local variables either."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES = re.compile(r"secret|token|password|api_?key", re.IGNORECASE)


class Secret(str):
    """A text like any other to whoever is given it, botocore too, whose repr tells nothing of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


def veiled(values: Mapping[str, str]) -> dict[str, str]:
    """Return variables with a secret in the place of each value that, by its name, is one."""
    return {name: Secret(value) if _NAMES.search(name) else value for name, value in values.items()}
