"""Where a URL leads to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

R2_HOST = ".r2.cloudflarestorage.com"


def is_here(url: str) -> bool:
    """Tell whether a URL leads to this machine, where the local cloud is."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_r2(url: str) -> bool:
    """Tell whether a URL leads to R2."""
    return (urlsplit(url).hostname or "").endswith(R2_HOST)
