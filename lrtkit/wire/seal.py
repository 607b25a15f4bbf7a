"""The seal of a record: a digest of its own JSON as the last member of the envelope, and a line break behind it.

A flipped bit in a number or a fingerprint is still JSON, and would be believed. Whoever changes a record
and writes it anew as JSON, another program as well as a person, leaves that line break out: such a record
has no seal and is taken as it is.
"""

from __future__ import annotations

import hashlib
import re

_SEAL = re.compile(rb',"digest":"([0-9a-f]{64})"}}\n\Z')


def sealed(body: bytes) -> bytes:
    """Return compact JSON that ends with the envelope, with its digest added to it."""
    return body[:-2] + b',"digest":"' + _digest(body[:-2]) + b'"}}\n'


def check(body: bytes) -> None:
    """Raise ValueError where a record is not as it was sealed."""
    seal = _SEAL.search(body)
    if seal and _digest(body[: seal.start()]) != seal[1]:
        raise ValueError("its digest differs")


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
