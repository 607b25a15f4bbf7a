"""Errors of AWS and of the network, as decisions."""

from __future__ import annotations

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from lrtkit.wire import aws
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


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "", 400, NotFound),
        ("NoSuchBucket", "", 404, NotFound),
        ("404", "Not Found", 404, NotFound),
        ("ReceiptHandleIsInvalid", "", 400, LeaseLost),
        ("MessageNotInflight", "", 400, LeaseLost),
        (
            "InvalidParameterValue",
            "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
            400,
            LeaseLost,
        ),
        (
            "InvalidParameterValue",
            "Message does not exist or is not available for visibility timeout change.",
            400,
            LeaseLost,
        ),
        (
            "InvalidParameterValue",
            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
            400,
            LeaseCapped,
        ),
        ("InvalidParameterValue", "One or more parameters are invalid", 400, BadInput),
        ("PreconditionFailed", "", 412, Conflict),
        ("ConditionalRequestConflict", "", 409, Conflict),
        ("", "", 412, Conflict),
        ("AccessDenied", "", 403, Denied),
        ("ExpiredToken", "", 400, Denied),
        ("InvalidClientTokenId", "", 403, Denied),
        ("InvalidToken", "", 400, Denied),
        ("", "", 401, Denied),
        ("RequestThrottled", "", 403, Throttled),
        ("SlowDown", "", 503, Throttled),
        ("", "", 429, Throttled),
        ("InternalError", "", 500, Unavailable),
        ("ServiceUnavailable", "", 503, Unavailable),
        ("", "", 502, Unavailable),
        ("InvalidMessageContents", "", 400, BadInput),
        ("BatchRequestTooLong", "", 400, BadInput),
    ],
)
def test_answers(code: str, message: str, status: int, kind: type[LrtError]) -> None:
    """Each answer is the class of what to do: by its code, else its words, else its status."""
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert aws.classify(ClientError(response, "Any")) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="http://x"), Unavailable),
        (ConnectTimeoutError(endpoint_url="http://x"), Unavailable),
        (ReadTimeoutError(endpoint_url="http://x"), Unavailable),
        (NoCredentialsError(), Denied),
        (ParamValidationError(report="x"), BadInput),
    ],
)
def test_troubles_without_an_answer(error: Exception, kind: type[LrtError]) -> None:
    """A network that fails is waited for; a call that was never right is not."""
    assert aws.classify(error) is kind


def test_explained_says_what_was_tried() -> None:
    """The sentence begins with what was tried and ends with the service's own words, on one line."""
    response = {
        "Error": {"Code": "AccessDenied", "Message": "not\n  allowed"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    with (
        pytest.raises(
            Denied, match=r"^cannot read a in bucket b: not allowed\. Try: mend the key in the env file, or its policy$"
        ),
        aws.explained("cannot read a in bucket b"),
    ):
        raise ClientError(response, "GetObject")


def upload_that_is_refused() -> None:
    response = {"Error": {"Code": "SlowDown", "Message": "slower"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    with aws.explained("cannot write a"):
        try:
            raise ClientError(response, "PutObject")  # noqa: TRY301  (as boto3 does it)
        except ClientError as error:
            raise S3UploadFailedError("failed to upload") from error


def test_explained_looks_behind_the_transfer() -> None:
    """An upload's error is what the bucket said, and not that the upload failed."""
    with pytest.raises(Throttled, match=r"^cannot write a: slower$"):
        upload_that_is_refused()


def test_explained_leaves_other_errors_alone() -> None:
    """A mistake in the program is no trouble of the network."""
    with pytest.raises(ZeroDivisionError), aws.explained("cannot"):
        _ = 1 / 0


def test_clients_give_up_before_a_lease_ends() -> None:
    """No call waits for as long as botocore would, and checksums are those that R2 takes."""
    config = aws.client("s3", Access("key", "secret"), endpoint_url="http://127.0.0.1:9").meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (3, 5, 3)
    assert config.request_checksum_calculation == config.response_checksum_validation == "when_required"


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"])
def test_an_expired_temporary_key_says_what_to_do(code: str) -> None:
    """A key that has ended by itself is told as such, and not as a wrong one."""
    response = {"Error": {"Code": code, "Message": "The provided token has expired."}}
    with pytest.raises(Denied) as caught, aws.explained("cannot read argon/1/checkpoint.json"):
        raise ClientError(response, "GetObject")
    assert str(caught.value) == (
        "cannot read argon/1/checkpoint.json: The provided token has expired. "
        "Try: put a new key into the env file, then connect anew"
    )
