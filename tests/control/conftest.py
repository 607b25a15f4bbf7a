"""An experiment for the tests of this folder."""

from __future__ import annotations

import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from tests.control.desk import Desk


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    """An experiment without jobs."""
    return Desk(cloud, Experiment("exp", cloud))
