"""The parts that a set-up is made of, each of which can be looked at, made, mended and removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

Facts = Mapping[str, str]
"""What is true of a part: settings by their names, in the service's own words."""


class Part(Protocol):
    """One thing in the cloud."""

    @property
    def kind(self) -> str:
        """What it is: queue, bucket, user."""

    @property
    def name(self) -> str:
        """What it is called."""

    def wanted(self) -> Facts:
        """Return what is to be true of it."""

    def found(self) -> Facts | None:
        """Return what is true of it now; None where it is not there."""

    def create(self) -> None:
        """Make it as wanted."""

    def change(self, facts: Facts) -> None:
        """Make these facts true."""

    def remove(self) -> bool:
        """Remove it, and tell whether there was anything to remove."""


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two values mean the same; of documents the order of keys and lists does not count."""
    return bool(_meaning(one) == _meaning(other))


def _meaning(text: str | None) -> Any:
    return _plain(json.loads(text)) if text and text[0] in "{[" else text


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        plain = sorted((_plain(each) for each in value), key=repr)
        return plain[0] if len(plain) == 1 else plain
    return str(value)


_TAG = "tag "


def tag_facts(tags: Mapping[str, str]) -> Facts:
    """Return tags as facts."""
    return {f"{_TAG}{name}": value for name, value in tags.items()}


def tags_of(facts: Facts) -> dict[str, str]:
    """Return the tags among facts."""
    return {name.removeprefix(_TAG): value for name, value in facts.items() if name.startswith(_TAG)}
