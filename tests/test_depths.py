"""The depth of a queue over time: this kernel's readings beside those that the bucket keeps."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from lrtkit import Experiment, charts
from lrtkit.connection import Cloud
from lrtkit.depths import Depths, Sampling
from lrtkit.wire import keys
from lrtkit.wire.clock import iso, seconds_of
from lrtkit.wire.errors import BadInput, Unavailable
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.sqs import Outgoing
from tests.waiting import until

TEN = seconds_of("2026-11-24T10:00:00Z")


class Watch:
    """A clock that stands still until it is set on."""

    def __init__(self, at: float = TEN) -> None:
        self.at = at

    def __call__(self) -> float:
        """Return the time."""
        return self.at


def kept(cloud: Cloud) -> dict[str, int]:
    """Return how many readings each object of the bucket has."""
    found = [each.key for each in cloud.store.listed("_depth/")]
    return {
        key.rpartition("/")[2]: lines for key, lines in cloud.store.read(found, lambda body: body.count(b"\n")).items()
    }


def send(cloud: Cloud, name: str) -> None:
    cloud.queue.send(Outgoing("{}", name, name))


def test_readings_are_kept_a_minute_at_once(cloud: Cloud) -> None:
    """An object an hour is written once a minute, and whoever comes later sees what was read."""
    watch = Watch(TEN - 90)
    depths = Depths(cloud.queue, cloud.store, now=watch)
    for minute, already in enumerate([0, 0, 3, 6]):
        assert sum(kept(cloud).values()) == already
        for second in (0, 30):
            watch.at = TEN - 90 + 60 * minute + second
            depths.read()
        send(cloud, f"job-{minute}")
    depths.keep()
    assert kept(cloud) == {"2026-11-24T09.jsonl": 3, "2026-11-24T10.jsonl": 5}
    theirs = Depths(cloud.queue, cloud.store, now=watch).frame(24)
    assert theirs["waiting"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    pd.testing.assert_frame_equal(theirs, depths.frame(24))
    assert len(depths.frame(0.02)) == 3


def test_the_autoscalers_readings_are_among_them(cloud: Cloud) -> None:
    """Its steps tell the queue's past too, with the replicas; between close readings of this kernel they add none."""
    for ago_s, lines in {7200: 1, 3600: 2, -20: 1}.items():
        snapshot = {"waiting": ago_s, "in_flight": 1, "delayed": 0, "replicas": 3, "status": "running"}
        body = json.dumps({"at": iso(TEN - ago_s), "snapshot": snapshot, "decision": {}}) + '\n{"at": 5}\n["?"]\n{'
        cloud.store.put(f"{keys.readings_of(cloud.queue.name)}{lines}-{ago_s}.jsonl", body.encode())
    watch = Watch()
    depths = Depths(cloud.queue, cloud.store, now=watch)
    depths.read()
    watch.at += 60
    depths.read()
    frame = depths.frame(24)
    assert frame["waiting"].tolist() == [7200, 3600, 0, 0]
    assert frame["replicas"].fillna(-1).tolist() == [3, 3, -1, -1]
    assert frame["dead"].fillna(-1).tolist() == [-1, -1, 0, 0]
    assert frame.index.tolist() == [pd.Timestamp(TEN - ago_s, unit="s", tz="UTC") for ago_s in (7200, 3600, 0, -60)]
    assert "in flight" in charts.alt(charts.queue_depth(frame))


@pytest.mark.parametrize(("outcome", "replicas"), [("done", 4), ("dry run", 0), ("failed", 0)])
def test_a_step_that_was_taken_counts_for_what_it_set(cloud: Cloud, outcome: str, replicas: int) -> None:
    """A step reads before it acts: a chart of what it read would show no replicas until the next step."""
    step = {"at": iso(TEN - 600), "outcome": outcome, "decision": {"replicas": 4}}
    step["snapshot"] = {"waiting": 9, "in_flight": 0, "delayed": 0, "replicas": 0, "status": "stopped"}
    cloud.store.put(f"{keys.readings_of(cloud.queue.name)}1.jsonl", json.dumps(step).encode())
    assert Depths(cloud.queue, cloud.store, now=Watch()).frame(24)["replicas"].tolist() == [replicas]


def test_a_longer_past_is_looked_up_at_once(cloud: Cloud) -> None:
    """Whoever asks for an hour and then for a century gets that, though the bucket has just been looked at."""
    colleague = Depths(cloud.queue, cloud.store, now=Watch())
    colleague.read()
    colleague.keep()
    depths = Depths(cloud.queue, cloud.store, now=Watch(seconds_of("2099-01-01T00:00:00Z")))
    assert depths.frame(1).empty
    assert len(depths.frame(100 * 365 * 24)) == 1


class Interleaved(S3Store):
    """A bucket in which somebody acts before the first swap, and which is away while told so."""

    def __init__(self, cloud: Cloud, before: Callable[[], object] = lambda: None) -> None:
        super().__init__(cloud.settings.bucket)
        self.before = before
        self.is_away = False

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Let the other one act, then swap."""
        if self.is_away:
            raise Unavailable("cannot write")
        before, self.before = self.before, lambda: None
        before()
        return super().swap(key, body, etag)


def test_two_who_keep_at_once_both_find_their_readings(cloud: Cloud) -> None:
    """Neither writes over what the other has just written."""
    theirs = Depths(cloud.queue, cloud.store, now=Watch(TEN + 1))
    mine = Depths(cloud.queue, Interleaved(cloud, theirs.keep), now=Watch())
    theirs.read()
    mine.read()
    mine.keep()
    assert kept(cloud) == {"2026-11-24T10.jsonl": 2}


def test_a_bucket_that_is_away_loses_nothing(cloud: Cloud) -> None:
    """Readings are told all the same, and written down when it is back."""
    store, watch = Interleaved(cloud), Watch()
    depths = Depths(cloud.queue, store, now=watch)
    store.is_away = True
    for _ in range(3):
        depths.read()
        watch.at += 60
    assert len(depths.frame(1)) == 3
    assert kept(cloud) == {}
    store.is_away = False
    depths.read()
    assert kept(cloud) == {"2026-11-24T10.jsonl": 4}


def test_sampling_in_the_background(cloud: Cloud) -> None:
    """It reads until it is stopped, and a fresh experiment sees what it has read; a second one takes its place."""
    exp = Experiment("exp", cloud)
    with exp.sampling(every_s=1) as first:
        until(lambda: len(exp.depth()) > 2)
        second = exp.sampling(every_s=1000)
        assert "stopped" in repr(first)
        until(lambda: "1 readings" in repr(second))
    second.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "sampling"]
    assert len(Experiment("other", cloud).depth()) >= 3
    with pytest.raises(BadInput, match="every_s is 0 but must be at least 1"):
        exp.sampling(every_s=0)


def test_sampling_ends_with_its_experiment(cloud: Cloud) -> None:
    """A cell that makes experiment and sampling anew leaves no thread behind."""
    sampling = Experiment("exp", cloud).sampling(every_s=1)
    until(lambda: not sampling._thread.is_alive())
    sampling.stop()


class Away:
    """What cannot read."""

    def read(self) -> None:
        """Fail."""
        raise Unavailable("the queue does not answer")


def test_trouble_of_a_sampling_is_told_and_not_raised(cloud: Cloud) -> None:
    """It goes on, and says what is wrong where it is looked at."""
    away = Away()
    sampling = Sampling(Depths(cloud.queue, cloud.store), away.read, every_s=1000)
    until(lambda: "the last attempt failed: the queue does not answer" in repr(sampling))
    assert sampling._thread.is_alive()
    sampling.stop()


def test_the_age_of_the_oldest(cloud: Cloud) -> None:
    """It is known when the bucket was looked at, and only while jobs are queued."""
    exp = Experiment("exp", cloud)
    assert exp.depth()["oldest"].isna().all()
    exp.submit([{"name": "a", "steps": 1}])
    exp.status()
    oldest = exp.depth()["oldest"].iloc[-1]
    assert pd.Timedelta(0) <= oldest < pd.Timedelta("2min")


def test_the_past_of_another_queue_is_not_ours(cloud: Cloud) -> None:
    """A queue whose name begins like ours has a history of its own."""
    watch = Watch()
    longer = replace(cloud.settings.queue, url=f"{cloud.settings.queue.url}-2")
    cloud.store.put(keys.depths(f"{cloud.queue.name}-2", iso(TEN)), b'{"at": "2026-11-24T09:30:00Z", "waiting": 9}\n')
    assert longer.url.endswith("-2")
    assert Depths(cloud.queue, cloud.store, now=watch).frame(24).empty
