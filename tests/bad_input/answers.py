"""What comes back over the network that is no answer of the service that was called."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.bad_input.table import Section

PAGE = "<html><body>Sign in to the guests' network</body></html>"
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
SQS = {"Content-Type": "application/x-amz-json-1.0"}
XML = {"Content-Type": "application/xml"}


@dataclass(frozen=True)
class Answer:
    """An answer, given to every call, or only to those of a method; the others are told that nothing is there."""

    status: int
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    only: str | None = None


def problem(status: int, detail: str) -> Answer:
    """Return a failure in the form that SaladCloud describes."""
    return Answer(status, {"type": "about:blank", "title": "Problem", "status": status, "detail": detail}, JSON)


def xml(status: int, code: str, message: str) -> Answer:
    """Return a failure as S3 tells it."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", XML)


def sqs(status: int, kind: str, message: str) -> Answer:
    """Return a failure as SQS tells it."""
    return Answer(status, {"__type": f"com.amazonaws.sqs#{kind}", "message": message}, SQS)


NOTHING = xml(404, "NoSuchKey", "The specified key does not exist.")


def on_put(answer: Answer) -> Answer:
    """Return an answer for writes alone."""
    return replace(answer, only="PUT")


SALADCLOUD = Section(
    "Answers of SaladCloud",
    'To `SaladClient.get_group("workers")`, as the autoscaler calls it: raised after the repetitions that make sense.',
    {
        "502 and a page of HTML": Answer(502, PAGE, HTML),
        "200 and a page of HTML": Answer(200, PAGE, HTML),
        "200 and nothing": Answer(200),
        "200 and a list": Answer(200, [], JSON),
        "200 and half a body": Answer(200, '{"id": "1", "na', JSON),
        "401": problem(401, "Invalid API key"),
        "403": problem(403, "Forbidden"),
        "404": problem(404, "The container group was not found"),
        "400": problem(400, "replicas must be at most 500"),
        "409": problem(409, "The container group changed"),
        "429 without Retry-After": problem(429, "Too many requests"),
        "429 for ten minutes": Answer(429, {"detail": "Too many requests"}, {**JSON, "Retry-After": "600"}),
        "500 and nothing": Answer(500),
        "302 to elsewhere": Answer(302, "", {"Location": "https://example.com"}),
    },
)

QUEUE = Section(
    "Answers in the place of SQS",
    "To the first look at the queue, as `exp.submit` takes it: raised, before anything is sent.",
    {
        "200 and a page of HTML": Answer(200, PAGE, HTML),
        "200 and a JSON object of something else": Answer(200, {"ok": True}, SQS),
        "200 and nothing": Answer(200, "", SQS),
        "502 and a page of HTML": Answer(502, PAGE, HTML),
        "a queue that is not there": sqs(400, "QueueDoesNotExist", "The specified queue does not exist."),
        "a key that nobody knows": sqs(403, "InvalidClientTokenId", "The security token included is invalid."),
        "a key that may not": sqs(
            403, "AccessDeniedException", "User is not authorized to perform: sqs:getqueueattributes"
        ),
        "an expired token": sqs(403, "ExpiredToken", "The security token included in the request is expired"),
        "a clock that is wrong": sqs(403, "RequestTimeTooSkewed", "Signature expired: 20261124T090000Z is now earlier"),
        "too many calls": sqs(400, "RequestThrottled", "Request throttled"),
    },
)

BUCKET = Section(
    "Answers in the place of the bucket",
    "To a read of a job's record, as worker and submitter make it: raised; a worker waits and tries again.",
    {
        "200 and a page of HTML": Answer(200, PAGE, HTML),
        "502 and a page of HTML": Answer(502, PAGE, HTML),
        "500 and half of the XML": Answer(500, "<Error><Code>Intern", XML),
        "a bucket that is not there": xml(404, "NoSuchBucket", "The specified bucket does not exist."),
        "a key that may not": xml(403, "AccessDenied", "Access Denied"),
        "a key that nobody knows": xml(403, "InvalidAccessKeyId", "The AWS Access Key Id does not exist."),
        "a wrong secret": xml(403, "SignatureDoesNotMatch", "The request signature does not match."),
        "a clock that is wrong": xml(403, "RequestTimeTooSkewed", "The difference between the clocks is too large."),
        "too many calls": xml(503, "SlowDown", "Please reduce your request rate."),
        "403 and a page of HTML": Answer(403, PAGE, HTML),
    },
)

WRITES = Section(
    "Answers to a write to the bucket",
    "To a conditional write of a record: raised. Never taken for done.",
    {
        "200 and a page of HTML": on_put(Answer(200, PAGE, HTML)),
        "200 without an ETag": on_put(Answer(200)),
        "412, and the object is another": on_put(xml(412, "PreconditionFailed", "At least one condition did not hold")),
        "409": on_put(xml(409, "ConditionalRequestConflict", "A conflicting conditional operation is under way")),
        "429": on_put(xml(429, "TooManyRequests", "Reduce your concurrent request rate for the same object")),
    },
)

LISTS = Section(
    "Answers to a list of the bucket",
    "To `exp.status()`: raised.",
    {
        "200 and a page of HTML": Answer(200, PAGE, HTML),
        "200 and half of the XML": Answer(200, "<ListBucketResult><Contents><Key>a</K", XML),
        "200 and JSON": Answer(200, {"objects": []}, JSON),
        "a key that may not": xml(403, "AccessDenied", "Access Denied"),
    },
)
