"""A SaladCloud made from the published field lists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.salad.published import Published, served


@pytest.fixture
def published() -> Iterator[Published]:
    with served(Published()) as cloud:
        yield cloud
