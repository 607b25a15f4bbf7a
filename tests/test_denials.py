"""Keys that expire and clocks that are wrong, in the middle of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd
import pytest

from lrtkit import Experiment
from lrtkit.connection import Cloud
from lrtkit.wire.errors import Denied
from lrtkit.wire.s3 import S3Store
from tests.gate import Gate, gate

EXPIRED = (400, "ExpiredToken", "The provided token has expired.")
SKEWED = (403, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large.")


@pytest.fixture
def door(server: str) -> Iterator[Gate]:
    with gate(server) as opened:
        yield opened


@pytest.fixture
def experiment(cloud: Cloud, door: Gate) -> Experiment:
    """An experiment with two queued jobs, whose bucket is behind the gate."""
    store = S3Store(replace(cloud.settings.bucket, endpoint_url=door.url))
    made = Experiment("exp", replace(cloud, store=store))
    made.submit([{"name": "a", "steps": 1}, {"name": "b", "steps": 1}])
    return made


CALLS: dict[str, Callable[[Experiment], object]] = {
    "status": Experiment.status,
    "results": Experiment.results,
    "cancel": lambda exp: exp.cancel("a"),
    "why": lambda exp: exp.why("a"),
    "wait": lambda exp: exp.wait(every_s=0.01),
    "purge": Experiment.purge,
}


@pytest.mark.parametrize("name", list(CALLS))
def test_a_key_that_expires(experiment: Experiment, door: Gate, name: str) -> None:
    """Every call ends with one sentence that says so, and none goes on for ever."""
    door.refusal = EXPIRED
    with pytest.raises(Denied, match=r"token has expired\. Try: put a new key into the env file, then connect anew$"):
        CALLS[name](experiment)


def test_a_key_that_expires_during_a_wait(experiment: Experiment, door: Gate) -> None:
    """The wait ends with it, however long it was to last."""
    door.after, door.refusal = 20, EXPIRED
    with pytest.raises(Denied, match="token has expired"):
        experiment.wait(every_s=0.01)
    assert door.after < 0


def test_a_clock_that_is_hours_off(experiment: Experiment, door: Gate, cloud: Cloud) -> None:
    """What S3 says about the time becomes what to do about the clock, at the first call too."""
    door.refusal = SKEWED
    with pytest.raises(Denied, match=r"is too large\. Try: set this machine's clock$"):
        experiment.status()
    fresh = Experiment("exp", experiment.cloud)
    with pytest.raises(Denied, match=r"^the key KEYOFR2 was refused for bucket .* Try: set this machine's clock$"):
        fresh.status()


def test_ages_are_told_by_the_buckets_clock(experiment: Experiment, door: Gate) -> None:
    """However wrong this machine's clock is, it has no part in them."""
    door.time = time.time() + 3 * 3600
    age = experiment.status()["age"]
    assert (age >= pd.Timedelta("2h 59min")).all()
    door.time = time.time() + 15 * 86_400
    assert experiment.status()["state"].tolist() == ["expired", "expired"]
