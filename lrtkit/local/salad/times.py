"""Times as the public API writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp() -> str:
    """Return the present time in UTC with seven fractional digits."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")
