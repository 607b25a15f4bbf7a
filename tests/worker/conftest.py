"""A laboratory for each test, and what can be put between its workers and the world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrtkit.connection import Cloud
from tests.worker.lab import Lab


@pytest.fixture
def lab(cloud: Cloud, env: dict[str, str], tmp_path: Path) -> Iterator[Lab]:
    """A cloud of the test's own, and real workers on it."""
    lab = Lab(cloud, env, tmp_path)
    yield lab
    lab.end()
