"""A section of the bad input table: what enters at one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """Inputs that enter at the same place: values by what they are in words; ``where`` says where that is."""

    title: str
    where: str
    inputs: Mapping[str, Any]
