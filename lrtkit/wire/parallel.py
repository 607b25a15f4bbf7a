"""Blocking calls by the dozen, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(call: Callable[[T], R], of: Iterable[T], *, threads: int, name: str) -> list[R]:
    """Return what a call makes of each, in their order; ``name`` is what the threads are called.

    Nothing is on its way any more when this returns or raises, and after an error, or an interrupt of the
    cell, nothing more is begun.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        try:
            return list(pool.map(call, of))
        finally:
            pool.shutdown(cancel_futures=True)
