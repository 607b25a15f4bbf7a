"""Answers of somebody else in the place of a service, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lrtkit.salad import SaladClient, SaladSettings
from lrtkit.wire.errors import LrtError
from lrtkit.wire.s3 import S3Store
from lrtkit.wire.settings import CloudSettings
from lrtkit.wire.sqs import Outgoing, SqsQueue
from tests.bad_input import answers
from tests.bad_input.answers import Answer
from tests.bad_input.environment import GOOD
from tests.bad_input.impostor import impostor
from tests.bad_input.page import compare, sentence
from tests.bad_input.table import Section


def saladcloud(url: str) -> Any:
    settings = SaladSettings("acme", "demo", "a-key-that-nobody-may-see", f"{url}/api/public")
    return SaladClient(settings, sleep=lambda _: None).get_group("workers")


def queue(url: str) -> SqsQueue:
    env = {**GOOD, "SQS_QUEUE_URL": f"{url}/1/jobs.fifo", "SQS_DLQ_URL": f"{url}/1/dead.fifo"}
    return SqsQueue(CloudSettings.from_env({**env, "AWS_ENDPOINT_URL_SQS": url}).queue)


def bucket(url: str) -> S3Store:
    return S3Store(CloudSettings.from_env({**GOOD, "R2_S3_ENDPOINT_URL": url}).bucket)


CALLS: list[tuple[Section, Callable[[str], Any]]] = [
    (answers.SALADCLOUD, saladcloud),
    (answers.QUEUE, lambda url: queue(url).largest_message()),
    (answers.BUCKET, lambda url: bucket(url).get("exp/a/checkpoint.json")),
    (answers.WRITES, lambda url: bucket(url).swap("exp/a/checkpoint.json", b"{}", '"etag"')),
    (answers.LISTS, lambda url: list(bucket(url).listed("exp/"))),
]


@pytest.mark.parametrize(("section", "call"), CALLS, ids=[section.title for section, _ in CALLS])
def test_answers(section: Section, call: Callable[[str], Any]) -> None:
    """Whatever answers, the caller learns in a sentence what was tried, what came back and what to do."""
    with ThreadPoolExecutor(4) as threads:  # botocore waits between its tries
        told = list(threads.map(lambda answer: said(answer, call), section.inputs.values()))
    compare(section, told)
    assert not [line for line in told if "nobody-may-see" in line]


def said(answer: Answer, call: Callable[[str], Any]) -> str:
    with impostor(answer) as url:
        try:
            found = call(url)
        except LrtError as error:
            return sentence(error).replace(url, "https://host")
    pytest.fail(f"{answer} was taken, and {found!r} made of it")


ACTS: list[tuple[str, Callable[[str], Any]]] = [
    ("send", lambda url: queue(url).send(Outgoing("{}", "a", "once"))),
    ("extend", lambda url: queue(url).extend("receipt", 60)),
    ("delete", lambda url: queue(url).delete("receipt")),
    ("receive", lambda url: queue(url).receive(lease_s=60, wait_s=0, attempt_id="a")),
    ("put", lambda url: bucket(url).put("a", b"")),
    ("list", lambda url: list(bucket(url).listed("a"))),
]


@pytest.mark.parametrize(("act", "call"), ACTS, ids=[act for act, _ in ACTS])
def test_a_web_page_is_never_taken_for_success(act: str, call: Callable[[str], Any]) -> None:
    """A lease that a guests' network has extended, or a job that it has taken, would be lost."""
    with impostor(Answer(200, answers.PAGE, answers.HTML)) as url, pytest.raises(LrtError):
        call(url)
