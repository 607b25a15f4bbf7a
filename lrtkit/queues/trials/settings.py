"""What an env file says, beside what the services say: places, clock, lease, retention."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lrtkit.queues.places import is_here
from lrtkit.queues.policies import DEAD_LETTER_CALLS, QUEUE_CALLS, Resource, Role
from lrtkit.queues.trials.findings import Finding, Verdict
from lrtkit.queues.trials.patient import Patient
from lrtkit.wire import aws, keys
from lrtkit.wire.errors import LrtError
from lrtkit.wire.sqs import name_of

SKEW_S = 60
"""AWS refuses what was signed five minutes ago; half a minute of that may be lost on the way."""

FEWEST_RECEIVES = 100
"""A job of a week that is interrupted every two hours is received less often."""

SHORTEST_LEASE_S = 60
"""Published renewals stood still for 60 s; see the README on leases."""

_DAY_S = 86_400
_REGION = re.compile(r"sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def findings(patient: Patient) -> Iterator[Finding]:
    """Check places, clock, lease and, for who may look at them, the queues' attributes."""
    yield from places(patient)
    yield _clock(patient)
    if patient.role is Role.WORKER:
        yield lease(patient)
    if (
        "sqs:GetQueueAttributes" in QUEUE_CALLS[patient.role]
        and "sqs:GetQueueAttributes" in (DEAD_LETTER_CALLS[patient.role])
    ):
        yield from _attributes(patient)


def places(patient: Patient) -> Iterator[Finding]:
    """Compare the places that an env file names with one another."""
    queue, bucket = patient.cloud.queue, patient.cloud.bucket
    for what, url in ((Resource.QUEUE, queue.endpoint_url or queue.url), (Resource.BUCKET, bucket.endpoint_url)):
        safe = urlsplit(url).scheme == "https" or is_here(url)
        yield _finding(f"{what} encrypted on its way", urlsplit(url).netloc, safe, f"{url} is not. Try: https")
    found = _REGION.fullmatch(urlsplit(queue.url).hostname or "")
    region = found[1] if found else queue.region
    away = f"the queue is in {region}. Try: SQS_AWS_REGION={region}"
    yield _finding("region", queue.region, region == queue.region, away)
    one_account = queue.url.split("/")[:-1] == queue.dead_letter_url.split("/")[:-1]
    yield _finding("one account for both queues", "SQS_DLQ_URL", one_account, f"Try: the account of {queue.url}")


def _clock(patient: Patient) -> Finding:
    sent = time.time()
    try:
        headers = _headers(patient)
        skew_s = parsedate_to_datetime(headers["date"]).timestamp() - (sent + time.time()) / 2
    except (LrtError, KeyError, ValueError) as error:
        return Finding("clock", "this machine", Verdict.WRONG, f"nobody tells the time: {error}. Try: again later")
    off = f"it is {abs(skew_s):.0f} s {'behind' if skew_s > 0 else 'ahead'}. Try: let NTP set it"
    return _finding("clock", "this machine", abs(skew_s) <= SKEW_S, off)


def _headers(patient: Patient) -> Mapping[str, str]:
    """Return the headers of an answer of the bucket's, whether it lets us in or not."""
    with aws.explained("the bucket does not answer"):
        try:
            answer = patient.buckets.get_object(Bucket=patient.cloud.bucket.name, Key=keys.PROBE)
        except ClientError as error:
            answer = error.response
    headers: Mapping[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers


def lease(patient: Patient) -> Finding:
    """Compare the lease with how long a heartbeat may stand still; on the local cloud none does."""
    lease_s = patient.worker.lease_s
    why = f"a heartbeat may stand still for {SHORTEST_LEASE_S} s. Try: LRT_LEASE_SECONDS=120 or more"
    subject = f"{lease_s:g} s, a heartbeat every {lease_s / 4:g} s"
    return _finding("lease against heartbeat", subject, lease_s > SHORTEST_LEASE_S or not patient.enforced, why)


def _attributes(patient: Patient) -> Iterator[Finding]:
    queue = patient.cloud.queue
    try:
        found, dead = (_read(patient, url) for url in (queue.url, queue.dead_letter_url))
    except LrtError as error:
        yield Finding("attributes", f"{Resource.QUEUE} {name_of(queue.url)}", Verdict.WRONG, str(error))
        return
    redrive = json.loads(found.get("RedrivePolicy", "{}"))
    subject = f"{Resource.QUEUE} {name_of(queue.url)}"
    target = str(redrive.get("deadLetterTargetArn", "nowhere"))
    astray = f"they go to {target.rpartition(':')[2]}. Try: apply the set-up again"
    yield _finding("dead letters go to SQS_DLQ_URL", subject, target == dead["QueueArn"], astray)
    if redrive:
        receives = int(redrive["maxReceiveCount"])
        few = f"after {receives} interruptions a healthy job is set aside. Try: apply the set-up again"
        yield _finding("receives are not failures", subject, receives >= FEWEST_RECEIVES, few)
    days = int(found["MessageRetentionPeriod"]) / _DAY_S
    short = f"the queue drops what it has held for {days:g} days. Try: more replicas, or submit in parts"
    yield _finding("retention", f"{days:g} days", (patient.plan_days or 0) < days, short)


def _read(patient: Patient, url: str) -> dict[str, Any]:
    with aws.explained(f"cannot read the attributes of {name_of(url)}"):
        found = patient.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return dict(found)


def _finding(check: str, subject: str, well: bool, remedy: str) -> Finding:
    return Finding(check, subject, Verdict.WORKS if well else Verdict.WRONG, "" if well else remedy)
