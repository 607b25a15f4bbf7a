"""The names that things in the cloud are to have, checked before anything is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lrtkit.queues.policies import Role
from lrtkit.wire.errors import BadInput

_FIFO = ".fifo"
_QUEUE = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_USER = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")


def check_queue(name: str, where: str) -> None:
    """Raise BadInput where a name cannot be that of a FIFO queue; ``where`` it was given ends in it."""
    if not _QUEUE.fullmatch(name):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix(_FIFO))[:75].strip("-") or "jobs"
        raise BadInput(
            f"{where or 'a queue'} must end in a name of 1 to 75 of A-Z a-z 0-9 _ - and '{_FIFO}'. "
            f"Try: {where.removesuffix(name)}{stem}{_FIFO}"
        )


def check_pair(queue: str, dead_letter_queue: str) -> None:
    """Raise BadInput where one of two names cannot be that of a FIFO queue, or both are the same."""
    for name in (queue, dead_letter_queue):
        check_queue(name, name)
    if queue == dead_letter_queue:
        raise BadInput(
            f"{queue} cannot be its own dead-letter queue: dead letters would be jobs again. "
            f"Try: {queue.removesuffix(_FIFO)[:70]}-dead{_FIFO}"
        )


def check_bucket(name: str) -> None:
    """Raise BadInput where S3 and R2 would not take a bucket's name."""
    if not _BUCKET.fullmatch(name):
        raise BadInput(
            f"a bucket cannot be called {name!r}, but by 3 to 63 of a-z 0-9 - . with a letter or digit at either end. "
            "Try: lrt-jobs"
        )


def check_users(users: Mapping[Role, str]) -> None:
    """Raise BadInput where IAM would not take a name, or two roles would be one user, who may do what both may."""
    roles: dict[str, Role] = {}
    for role, name in users.items():
        if not _USER.fullmatch(name):
            raise BadInput(f"the {role}'s user cannot be called {name!r}. Try: job-{role}")
        if (other := roles.setdefault(name.lower(), role)) != role:
            raise BadInput(f"{other} and {role} would both be the user {name}. Try: job-{other} and job-{role}")
