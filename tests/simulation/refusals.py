"""The errors of the services as boto3 raises them: real classes, real codes, real words."""

from __future__ import annotations

import functools
from typing import Any

import botocore.session
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError


@functools.cache
def exceptions(service: str) -> Any:
    """Return what a boto3 client of the service has as ``client.exceptions``."""
    model = botocore.session.get_session().get_service_model(service)
    return ClientExceptionsFactory().create_client_exceptions(model)


def refused(service: str, operation: str, code: str, message: str, *, status: int = 400, kind: str = "") -> ClientError:
    """Return the error of an answer; ``kind`` is the name of its class where SQS has an older code for it."""
    error = {"Code": code, "Message": message}
    if kind:
        error |= {"QueryErrorCode": kind, "Type": "Sender"}
    answer = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}}
    made: ClientError = exceptions(service).from_code(kind or code)(answer, operation)
    return made
