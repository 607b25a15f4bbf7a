"""What the tests of all notebooks share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrtkit import local


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the runs of a module leave their cloud, in ``.lrt``, and all else; the cloud is ended afterwards."""
    folder = tmp_path_factory.mktemp("notebook")
    yield folder
    local.down(folder / ".lrt")
