"""boto3 clients with time-outs that suit a lease, and the one table that turns their errors into ours."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import RetriesExceededError

from lrtkit.wire.errors import (
    BadInput,
    Conflict,
    Denied,
    LeaseCapped,
    LeaseLost,
    LrtError,
    NotFound,
    Throttled,
    Unavailable,
)
from lrtkit.wire.settings import Access

CONNECTIONS = 64
"""How many calls a client can have on their way at once: 300 a second to a service 200 ms away."""

_BY_CODE: dict[str, type[LrtError]] = {
    "AWS.SimpleQueueService.NonExistentQueue": NotFound,
    "QueueDoesNotExist": NotFound,
    "ResourceNotFoundException": NotFound,
    "NoSuchBucket": NotFound,
    "ReceiptHandleIsInvalid": LeaseLost,
    "MessageNotInflight": LeaseLost,
    "AWS.SimpleQueueService.MessageNotInflight": LeaseLost,
    "PreconditionFailed": Conflict,
    "ConditionalRequestConflict": Conflict,
    "AccessDenied": Denied,
    "AccessDeniedException": Denied,
    "ExpiredToken": Denied,
    "ExpiredTokenException": Denied,
    "InvalidAccessKeyId": Denied,
    "InvalidClientTokenId": Denied,
    "InvalidSecurity": Denied,
    "InvalidToken": Denied,
    "RequestExpired": Denied,
    "RequestTimeTooSkewed": Denied,
    "SignatureDoesNotMatch": Denied,
    "TokenRefreshRequired": Denied,
    "UnrecognizedClientException": Denied,
    "OverLimit": Throttled,
    "RequestThrottled": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequests": Throttled,
    "TooManyRequestsException": Throttled,
}

_BY_PHRASE: tuple[tuple[str, type[LrtError]], ...] = (
    ("beyond the limit", LeaseCapped),
    ("receipt handle has expired", LeaseLost),
    ("does not exist or is not available for visibility timeout change", LeaseLost),
    ("receipt handle", LeaseLost),
)
"""What SQS FIFO says with the code ``InvalidParameterValue``, the first phrase that occurs."""

_BY_STATUS: dict[int, type[LrtError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: Throttled,
}


class Connect(Protocol):
    """What makes a client: ``client`` below, or in tests what stands for the services."""

    def __call__(
        self,
        service: str,
        access: Access,
        *,
        endpoint_url: str | None,
        region: str = ...,
        read_timeout_s: float = ...,
        tries: int = ...,
    ) -> Any:
        """Return a client of the service."""


_one_at_a_time = threading.Lock()
"""A session must not make two clients at once."""


def client(
    service: str,
    access: Access,
    *,
    endpoint_url: str | None,
    region: str = "auto",
    read_timeout_s: float = 5,
    tries: int = 3,
) -> Any:
    """Return a boto3 client that connects within 3 s and makes each call at most ``tries`` times.

    Botocore's own 60 s to connect and to read are longer than a lease. The checksum settings are
    what R2 needs since boto3 1.36. An empty key stands for the role of the machine.
    """
    config = Config(
        connect_timeout=3,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": tries},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
    )
    try:
        with _one_at_a_time:
            made = _session().client(
                service,
                aws_access_key_id=access.key_id or None,
                aws_secret_access_key=access.secret or None,
                aws_session_token=access.session_token,
                region_name=region,
                endpoint_url=endpoint_url,
                config=config,
            )
    except (ValueError, BotoCoreError) as error:
        where = endpoint_url or f"the region {region}"
        raise BadInput(
            f"{where} is no place for {service}: {str(error).rstrip('.')}. Try: mend it"
        ) from _without_its_way(error)
    made.meta.events.register("after-call", _refuse_page)
    return made


class NoAnswer(ResponseParserError):  # type: ignore[misc]
    """What came back is none of the service's answers, whatever botocore makes of it."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}. Try: mend the endpoint's URL, or sign in to a network that asks for it")


def _refuse_page(*, http_response: Any, model: Any, **_: Any) -> None:
    """Refuse a web page in the place of an answer, such as a guests' network has: botocore takes it for success."""
    is_page = http_response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and http_response.status_code < 300 and not model.has_streaming_output:
        raise NoAnswer("a web page came back, as if no such service were there")


@functools.cache
def _session() -> boto3.session.Session:
    """Return the one session: each of its own would read the same megabytes of service descriptions again."""
    return boto3.session.Session()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn any error of botocore into ours, saying ``what`` was tried."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error, ResponseParserError, RetriesExceededError) as error:
        cause = error.__context__ if isinstance(error, Boto3Error) and error.__context__ else error
        kind = classify(cause)
        raise kind(f"{what}: {_sentence(cause, kind)}") from _without_its_way(error)


def _without_its_way(error: Exception) -> Exception:
    """Return an error without its frames in botocore: they are nobody's help, and hold headers with session tokens."""
    error.__suppress_context__ = True
    return error.with_traceback(None)


def classify(error: BaseException) -> type[LrtError]:
    """Return the class of ours that says what a caller can do about an error of botocore."""
    if isinstance(error, ClientError):
        return classify_answer(
            error.response.get("Error", {}).get("Code", ""),
            error.response.get("Error", {}).get("Message", ""),
            error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0),
        )
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return Denied
    return BadInput if isinstance(error, ParamValidationError) else Unavailable


def classify_answer(code: str, message: str, status: int) -> type[LrtError]:
    """Return the class for an error answer: by its code, else its words, else its HTTP status."""
    by_phrase = (kind for phrase, kind in _BY_PHRASE if phrase in message.lower())
    if code in _BY_CODE:
        return _BY_CODE[code]
    return next(by_phrase, None) or _BY_STATUS.get(status) or (Unavailable if status >= 500 else BadInput)


def _sentence(error: BaseException, kind: type[LrtError]) -> str:
    """Return what a service said, and what to do about it where its words leave that open."""
    if not isinstance(error, ClientError):
        return _advised(_line(str(error)), ADVICE.get(kind))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = _line(error.response.get("Error", {}).get("Message") or f"no reason but HTTP status {status}")
    by_words = (what for pattern, what in _HINTS if re.search(pattern, f"{error} {error.response}"))
    return _advised(said, next(by_words, None) or ADVICE.get(kind))


def _advised(said: str, advice: str | None) -> str:
    return f"{said.rstrip('.')}. Try: {advice}" if advice and "Try: " not in said else said


def _line(text: str) -> str:
    return " ".join(text.split())[:500]


_HINTS = (
    (r"RequestTimeTooSkewed|RequestExpired|[Ss]ignature expired|not yet current", "set this machine's clock"),
    (r"ExpiredToken|TokenRefreshRequired", "put a new key into the env file, then connect anew"),
)
"""What to do, where a code or the words of an answer say it."""

ADVICE = {
    Denied: "mend the key in the env file, or its policy",
    NotFound: "lrtkit.queues.make(cloud), or mend its name",
    Unavailable: "the same again, when network and service are back",
}
"""What to do, where nothing tells more."""
