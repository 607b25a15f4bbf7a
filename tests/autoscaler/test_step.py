"""One step: what is read, what is changed, what is kept, and what is told when something goes wrong."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lrtkit.autoscaler import Autoscaler
from lrtkit.autoscaler.records import count_open
from lrtkit.scaling import Action, Outcome, Policy, Step
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput, Denied, LrtError, NotFound, Unavailable
from lrtkit.wire.listing import Listed
from lrtkit.wire.record import Holder, Record, State
from lrtkit.wire.s3 import Item, S3Store
from lrtkit.wire.sqs import SqsQueue

HOLDER = Holder("worker", "machine")


def at(seconds: float):
    return lambda: seconds


def test_replicas_are_set_before_the_start(scaler, published, jobs):
    """A group that starts begins with the new number, and the step says that it was done."""
    jobs(3)
    step = scaler.step()
    assert published.changes() == ["PATCH workers", "POST start"]
    assert (published.replicas, published.status) == (3, "deploying")
    assert (step.outcome, step.decision.action) == (Outcome.DONE, Action.START)


def test_a_step_without_need_calls_for_nothing(scaler, published, jobs):
    """Where the group is as it should be, nothing is changed."""
    jobs(2)
    published.runs(2)
    assert scaler.step().outcome is Outcome.NOTHING_TO_DO
    assert published.changes() == []


def test_a_reading_has_what_the_instances_say(scaler, published):
    """Running, coming and busy instances and the workers' lease are read beside the counts."""
    published.runs(3, busy=2)
    published.instances[2]["state"] = "downloading"
    published.environment = {"LRT_LEASE_SECONDS": "30"}
    seen = scaler.look(at=5.0)
    assert (seen.running, seen.coming, seen.at_work, seen.lease_s, seen.at) == (2, 1, 2, 30, 5)
    published.instances[0]["state"], published.instances[1]["state"] = "warping", "stopping"
    seen = scaler.look()
    assert (seen.running, seen.coming, seen.at_work) == (0, 1, 1)


@pytest.mark.parametrize("said", ["", "soon", "nan", "inf", "-1", "0", "99999"])
def test_a_lease_that_is_none_counts_as_the_default(scaler, published, said):
    """A group's environment is anybody's to write, and must not keep the group running for ever."""
    published.environment = {"LRT_LEASE_SECONDS": said}
    assert scaler.look().lease_s == 120


def test_quota_and_price_are_asked_for_only_when_they_count(cloud, published, jobs):
    """A policy with limits has them read, and none has no call made for them."""
    jobs(9)
    policy = Policy(heed_quota=True, max_usd_per_hour=0.5)
    limited = Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=policy)
    assert (limited.look().quota_left, limited.look().usd_per_hour) == (60, 0.16)
    assert limited.step().decision.replicas == 3
    published.asked.clear()
    Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=Policy()).look()
    assert not [path for _, path in published.asked if "quotas" in path or "gpu-classes" in path]


def test_the_end_waits_for_open_records(scaler, cloud, published):
    """The queue reads empty for two leases, but a job's record is open: the last replica stays until it ends."""
    running = Record(State.WAITING).claimed(HOLDER, fingerprint="f", steps=None, now="2026-11-24T00:00:00Z")
    cloud.store.put(keys.record("story/1"), running.to_bytes())
    cloud.store.put(keys.record("story/2"), b"no record at all")
    published.runs(2)
    for seconds in (0, 120, 240):
        step = scaler.step(now=at(seconds))
    assert (step.snapshot.open_records, step.decision.replicas) == (1, 1)
    cloud.store.put(keys.record("story/1"), running.done(1, {}, now="2026-11-24T00:05:00Z").to_bytes())
    assert scaler.step(now=at(300)).decision.action is Action.STOP
    assert published.status == "stopped"


class Guarded(S3Store):
    """A bucket on S3 with a key that may only keep the autoscaler's readings, as S3 refuses it."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List the readings alone."""
        if not prefix.startswith("_autoscaler/"):
            raise Denied(f"cannot list {prefix}")
        return super().listed(prefix)

    def get(self, key: str) -> Item | None:
        """Return what is there, and do not say what is not."""
        found = super().get(key)
        if found is None:
            raise Denied(f"cannot read {key}")
        return found


def test_a_key_for_its_own_readings_is_enough(cloud, published, jobs):
    """Without the right to list the bucket the autoscaler keeps its history, and stops the group in the end."""
    jobs(1)
    guarded = Guarded(cloud.settings.bucket)
    scaler = Autoscaler(cloud.queue, guarded, published.client(), group="workers", policy=Policy())
    assert scaler.step(now=at(0)).decision.action is Action.START
    message = cloud.queue.receive(lease_s=30, wait_s=5, attempt_id="a")
    cloud.queue.delete(message.receipt)
    published.runs(1)
    for seconds in (120, 360):
        step = scaler.step(now=at(seconds))
    assert step.decision.action is Action.STOP
    assert len(scaler.history()) == 3


class Endless(S3Store):
    """A bucket whose list has no end."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """List record after record."""
        return (Listed(keys.record(f"{prefix}many/{number}"), "etag", 1, float(number)) for number in itertools.count())


def test_a_bucket_full_of_jobs_holds_up_no_step(cloud):
    """The last witness before a stop is heard as far as the time suffices: a function has ten seconds in all."""
    began = time.monotonic()
    assert count_open(Endless(cloud.settings.bucket), within_s=0.1) == 0
    assert time.monotonic() - began < 30


def test_steps_are_kept_a_day_to_an_object(scaler, cloud, published):
    """Everybody reads the same history in its order, over midnight too, and the next decision heeds it."""
    published.runs(1)
    for seconds in (86_100, 86_300, 86_500):
        scaler.step(now=at(seconds))
    assert [kept["at"][:19] for kept in scaler.history()] == [
        "1970-01-01T23:55:00",
        "1970-01-01T23:58:20",
        "1970-01-02T00:01:40",
    ]
    assert published.status == "stopped"
    assert len(list(cloud.store.listed(keys.readings_of(cloud.queue.name)))) == 2


def test_steps_at_the_same_time_do_no_harm(cloud, published, jobs):
    """Overlapping runs set the same number, and each finds its line in the history."""
    jobs(4)
    scalers = [
        Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=Policy()) for _ in range(4)
    ]
    threads = [
        threading.Thread(target=each.step, kwargs={"now": at(1000.0 + number)}) for number, each in enumerate(scalers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (published.replicas, published.status) == (4, "deploying")
    assert len(scalers[0].history()) == 4


def test_a_damaged_history_ends_no_scaling(scaler, cloud, published, jobs):
    """What another kit, a torn write or anybody has put between the steps is passed over, and the steps still count."""
    published.runs(1)
    scaler.step(now=at(10))
    key = keys.readings(cloud.queue.name, "1970-01-01")
    (kept,) = cloud.store.get(key).body.splitlines()
    sound, later = json.loads(kept), {"at": "1970-01-01T00:00:20Z"}
    others = [{**sound, **later, **other} for other in ({"decision": 7}, {"snapshot": None}, {"outcome": "perhaps"},
              {"snapshot": {**sound["snapshot"], "waiting": "3"}}, {"at": 7}, {"at": None})]  # fmt: skip
    torn = [b"", b"{", b"[]", b"7", b"\xff", b"{}", kept[:50], *(json.dumps(each).encode() for each in others), b"["]
    cloud.store.put(key, b"\n".join([*torn, kept, *torn]) + b"\n")
    step = scaler.step(now=at(250))
    assert (step.decision.action, str(step.decision)) == (Action.STOP, "0 jobs wait and 0 run: 1 replica, none needed "
            "any more, stop it; empty for 240 s")  # fmt: skip
    assert len(Step.all_of(scaler.history())) == 2


def test_what_an_earlier_kit_did_not_keep_is_as_by_default(scaler, published):
    """A step without fields that came later still counts."""
    published.runs(1)
    step = scaler.step(now=at(10))
    kept = json.loads(json.dumps(step.to_json()))
    for part, name in ((kept, "note"), (kept["snapshot"], "usd_per_hour"), (kept["decision"], "alert")):
        del part[name]
    assert Step.all_of([{**kept, "from_a_later_kit": 1}]) == [step]


@pytest.mark.parametrize(
    ("trouble", "done", "words"),
    [
        ({("PATCH", "workers"): 502}, 0, "PATCH .*502 Bad Gateway"),
        ({("POST", "start"): 502}, 3, "before that, the replicas were set to 3; the next step goes on"),
        ({("POST", "start"): 400}, 3, "before that, the replicas were set to 3; the next step goes on"),
    ],
)
def test_whatever_fails_the_next_step_goes_on(scaler, published, jobs, trouble, done, words):
    """A step that fails between two calls says what it has changed, keeps it, and the next one gets there."""
    jobs(3)
    published.trouble = trouble
    with pytest.raises(LrtError, match=words):
        scaler.step()
    assert (published.replicas, published.status) == (done, "stopped")
    assert scaler.history()[-1]["outcome"] == "failed"
    published.trouble = {}
    assert scaler.step().outcome is Outcome.DONE
    assert (published.replicas, published.status) == (3, "deploying")


def test_without_a_reading_nothing_is_changed(scaler, published, jobs):
    """Where SaladCloud is down nothing is decided, and the error says which call it was."""
    jobs(3)
    published.trouble = {("GET", "instances"): 503}
    with pytest.raises(Unavailable, match=r"GET .*instances.*503.*Try:"):
        scaler.step()
    assert published.changes() == []


def test_a_reading_that_has_grown_old_changes_nothing(scaler, published, jobs):
    """A laptop that slept between the reading and the change does not set the group to what was needed yesterday."""
    jobs(3)
    step = scaler.step(now=iter([1000.0, 87_400.0]).__next__)
    assert (step.outcome, published.changes()) == (Outcome.LATE, [])
    assert "The reading was 86400 s old by then: nothing was changed" in str(step)
    assert scaler.history()[-1]["outcome"] == "too late"
    assert scaler.step(now=at(87_400)).outcome is Outcome.DONE


def test_somebody_elses_change_is_noticed(scaler, published, jobs):
    """A number that another has set at the same time is told, and left to the next step."""
    jobs(3)
    published.meddle = lambda cloud: setattr(cloud, "replicas", 7)
    step = scaler.step()
    assert step.outcome is Outcome.CHANGED
    assert "Somebody else has set 7 replicas at the same time" in str(step)
    published.meddle = None
    assert scaler.step().decision.replicas == 3


def test_a_quota_that_is_too_small_is_told(cloud, published, jobs):
    """What SaladCloud says about the quota arrives, and nothing was changed."""
    policy = Policy(min_replicas=80, max_replicas=80)
    scaler = Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=policy)
    with pytest.raises(BadInput, match=r"quota of 100 replicas is exceeded"):
        scaler.step()
    assert published.status == "stopped"


def test_a_group_that_is_not_there_is_told(cloud, published):
    """The name of a group that nobody has made is in the sentence."""
    scaler = Autoscaler(cloud.queue, cloud.store, published.client(), group="nobody", policy=Policy())
    with pytest.raises(NotFound, match=r"no container group nobody.*Try: deploy it"):
        scaler.step()


def test_a_wrong_key_is_told_in_spite_of_html(cloud, published):
    """A page of HTML in place of JSON is told as what it is, with what to check."""
    client = published.client()
    object.__setattr__(client.settings, "api_key", "wrong")
    scaler = Autoscaler(cloud.queue, cloud.store, client, group="workers", policy=Policy())
    with pytest.raises(Denied, match=r"403 Forbidden: no JSON but text/html. Try: check salad_api_key"):
        scaler.step()


def test_workers_that_are_not_ours_can_be_protected(cloud, published):
    """Whoever knows which instances are busy lets them get a deletion cost before the group shrinks."""
    published.runs(4)
    scaler = Autoscaler(
        cloud.queue,
        cloud.store,
        published.client(),
        group="workers",
        policy=Policy(max_replicas=2, min_replicas=2),
        busy=lambda instances: [each.id for each in instances][1:3],
    )
    scaler.step()
    assert [each["deletion_cost"] for each in published.instances] == [0, 1, 1, 0]
    assert published.changes() == ["PATCH instance-1", "PATCH instance-2", "PATCH workers"]


def test_nobody_is_protected_from_a_stop(cloud, published, jobs):
    """A group that is stopped keeps none of its replicas, whatever their deletion costs."""
    jobs(1)
    published.runs(4)
    scaler = Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=Policy(0, 0))
    scaler.busy = lambda instances: [each.id for each in instances]
    assert scaler.step().decision.action is Action.STOP
    assert published.changes() == ["POST stop"]


def test_who_is_told_to_be_busy_counts_as_long_as_that_is_told(cloud, published):
    """A deletion cost that the autoscaler itself has set does not keep a replica that has become idle."""
    published.runs(4, busy=3)
    scaler = Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=Policy(1, 9))
    scaler.busy = lambda instances: [each.id for each in instances][2:3]
    assert scaler.look().at_work == 1
    assert scaler.step().decision.replicas == 1
    assert [each["deletion_cost"] for each in published.instances] == [0, 0, 1, 0]


def test_an_instance_that_vanishes_is_not_protected(cloud, published):
    """A node that is gone between the list and its deletion cost does not keep the group from shrinking."""
    published.runs(3)
    scaler = Autoscaler(cloud.queue, cloud.store, published.client(), group="workers", policy=Policy(1, 1))
    scaler.busy = lambda instances: [each.id for each in instances][1:]
    published.trouble = {("PATCH", "instance-1"): 404}
    assert scaler.step().outcome is Outcome.DONE
    assert [each["deletion_cost"] for each in published.instances] == [0, 0, 1]


@pytest.mark.parametrize(
    ("part", "words"),
    [("queue", r"nowhere\.fifo.*Try: lrtkit\.queues\.make.*queue_url"), ("bucket", r"nowhere.*Try: .*R2_BUCKET_NAME")],
)
def test_a_queue_or_bucket_that_is_not_there_is_told(cloud, published, part, words):
    """The name that is wrong is in the sentence, with what to do, and nothing was changed."""
    settings = cloud.settings
    nowhere = replace(settings.queue, url=settings.queue.url.rpartition("/")[0] + "/nowhere.fifo", dead_letter_url="")
    queue = SqsQueue(nowhere) if part == "queue" else cloud.queue
    store = S3Store(replace(settings.bucket, name="nowhere")) if part == "bucket" else cloud.store
    scaler = Autoscaler(queue, store, published.client(), group="workers", policy=Policy(1, 1))
    with pytest.raises(NotFound, match=words):
        scaler.step()
    assert published.changes() == []
