"""The network between a machine and a service: here calls take time, meet faults, kill, and are observed."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from greenlet import GreenletExit, getcurrent

from tests.simulation.clock import Blocked, Meter
from tests.simulation.faults import RECEIVE, Faults, Trouble
from tests.simulation.history import History
from tests.simulation.machine import NETWORK, Call, Machine

REQUEST_S = (0.01, 0.06)
ANSWER_S = (0.01, 0.06)

FAIR = Trouble("none")


class Line:
    """A boto3 client as one machine reaches it: any call of it is a request and an answer, with time between."""

    def __init__(
        self, client: Any, service: str, machine: Machine, *, faults: Faults, history: History, meter: Meter
    ) -> None:
        self._client = client
        self._service = service
        self._machine = machine
        self._faults = faults
        self._history = history
        self._meter = meter
        self.exceptions = client.exceptions

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        effect = getattr(self._client, operation)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(operation, effect, args, kwargs)

        setattr(self, operation, call)
        return call

    def get_paginator(self, operation: str) -> Line:
        """Return what pages through a listing: this client."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **kwargs: Any) -> Iterator[Any]:
        """Yield the pages of a listing, each by a call of its own."""
        page: dict[str, Any] = {"NextContinuationToken": None}
        while "NextContinuationToken" in page:
            token = page["NextContinuationToken"]
            page = self.list_objects_v2(**kwargs, **({"ContinuationToken": token} if token else {}))
            yield page

    def _call(self, operation: str, effect: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        call, machine, loop = getcurrent(), self._machine, self._machine.loop
        assert isinstance(call, Call), f"{operation} was called outside of a machine"
        if loop.is_ending:
            raise GreenletExit
        number = self._faults.number(machine.name)
        if self._faults.kills(machine.name, number, loop.now, after=False):
            self._history.fault(machine.name, "gone before a call", operation=operation)
            call.lose()
        trouble = self._faults.trouble(self._service, operation, loop.now) or FAIR
        if trouble is not FAIR:
            self._history.fault(machine.name, trouble.kind, operation=operation)
        rng = self._faults.rng
        call.travel(rng.uniform(*REQUEST_S) + trouble.request_s)
        answer: Any = None
        for number_of_try in range(trouble.arrives):
            if number_of_try:  # botocore tries again by itself
                call.travel(rng.uniform(0.3, 3.0))
            answer = self._arrived(call, operation, effect, args, kwargs)
        if operation == "upload_file" and self._faults.spoils(loop.now):
            loop.call_later(1.5, self._damage, *args[1:], context=NETWORK)
        if trouble.kind == "delivered twice":
            self._deliver_again(kwargs, answer)
        if self._faults.kills(machine.name, number, loop.now, after=True):
            self._history.fault(machine.name, "gone after a call", operation=operation)
            machine.lose()
        call.wait(rng.uniform(*ANSWER_S) + self._meter.read() + trouble.answer_s)
        if trouble.error or isinstance(answer, Exception):
            raise trouble.error or answer
        return self._spoiled(args, answer) if trouble.spoils else answer

    def _arrived(self, call: Call, operation: str, effect: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Let the service do what is asked, and return its answer or its error."""
        began = self._machine.loop.now
        while True:
            try:
                with self._meter.waited(self._machine.loop.now - began):
                    answer = effect(*args, **kwargs)
            except Blocked as blocked:
                call.hold(blocked)
            except ClientError as error:
                self._observe(operation, args, kwargs, error=error.response["Error"]["Code"])
                return error
            else:
                self._observe(operation, args, kwargs, **_told(operation, answer))
                return answer

    def _observe(self, operation: str, args: Any, kwargs: Any, **more: Any) -> None:
        self._history.calls[operation] += 1
        facts = {name: value for name, value in kwargs.items() if name in _SHOWN}
        if operation == "upload_file":
            facts |= {"Key": args[2], "sha256": hashlib.sha256(Path(args[0]).read_bytes()).hexdigest()}
        elif args:
            facts["Key"] = args[1]
        elif operation == "put_object":
            facts["sha256"] = hashlib.sha256(kwargs["Body"]).hexdigest()
        self._history(self._machine.name, operation, **facts, **more)

    def _deliver_again(self, kwargs: Any, answer: Any) -> None:
        """Let a message that was just handed out be visible to others too."""
        if isinstance(answer, dict):
            for message in answer.get("Messages", ()):
                self._client.change_message_visibility(
                    QueueUrl=kwargs["QueueUrl"], ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )

    def _damage(self, bucket: str, key: str) -> None:
        """Let what is stored be no longer what was written."""
        body = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        self._client.put_object(Bucket=bucket, Key=key, Body=self._damaged(body))
        self._history.fault("bucket", "stored damage", job=_JOB.split(key)[0], key=key)

    def _spoiled(self, args: Any, answer: Any) -> Any:
        """Tear what was read, or flip a bit of it."""
        if args:
            path = Path(args[2])
            path.write_bytes(self._damaged(path.read_bytes()))
            return answer
        return {**answer, "Body": io.BytesIO(self._damaged(answer["Body"].read()))}

    def _damaged(self, body: bytes) -> bytes:
        place = self._faults.rng.randrange(len(body)) if body else 0
        if self._faults.rng.random() < 0.5:
            return body[:place]
        return body[:place] + bytes([body[place] ^ 0x10]) + body[place + 1 :] if body else body


_SHOWN = (
    "Key",
    "Prefix",
    "IfMatch",
    "IfNoneMatch",
    "Body",
    "QueueUrl",
    "MessageBody",
    "MessageAttributes",
    "Entries",
    "MessageGroupId",
    "MessageDeduplicationId",
    "ReceiptHandle",
    "VisibilityTimeout",
)
"""What of a call the history keeps."""


_JOB = re.compile("/files/|/_submissions/")
"""What follows a job's id in the keys of what is uploaded."""


def _told(operation: str, answer: Any) -> dict[str, Any]:
    """Return what of an answer the history keeps."""
    if operation == RECEIVE:
        return {"got": [(each["MessageId"], each["ReceiptHandle"]) for each in answer.get("Messages", ())]}
    if operation == "put_object":
        return {"ETag": answer["ETag"]}
    if operation == "send_message":
        return {"MessageId": answer["MessageId"]}
    if operation == "send_message_batch":
        return {"refused": [each["Id"] for each in answer.get("Failed", ())]}
    return {}
