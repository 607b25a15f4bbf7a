"""ministack as it enforces policies, but for one name: IAM knows no batches, and grants them with the single call."""

from __future__ import annotations

from collections.abc import Callable

from ministack.app import app
from ministack.core import iam_actions

__all__ = ["app"]

_named: Callable[[dict[str, str]], str | None] = iam_actions._action_from_target


def _named_as_iam_does(headers: dict[str, str]) -> str | None:
    name = _named(headers)
    return name.removesuffix("Batch") if name else name


iam_actions._action_from_target = _named_as_iam_does
