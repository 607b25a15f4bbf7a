"""Reads of many small objects, at a third of what each costs through botocore.

Botocore signs; the request goes over a plain connection that is kept open. Whatever is not a whole
object at once, such as a missing key, a throttle, a proxy or a broken connection, is left to
botocore, which knows what to do about it.
"""

from __future__ import annotations

import ssl
import weakref
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit
from urllib.request import getproxies

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import get_cert_path

from lrtkit.wire.settings import BucketSettings

TIMEOUT_S = 10
LARGEST = 8 * 1024 * 1024
"""What is larger is left to botocore too, which does not give up on it so soon."""


class FastReader:
    """Reads objects of a bucket where that goes smoothly."""

    def __init__(self, settings: BucketSettings) -> None:
        self._url = urlsplit(settings.endpoint_url)
        self._root = f"{self._url.path.rstrip('/')}/{settings.name}"
        self._credentials = Credentials(settings.access.key_id, settings.access.secret)
        self._signer = S3SigV4Auth(self._credentials, "s3", "auto")
        self._by_proxy = self._url.scheme in getproxies()
        self._idle: list[HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return an object's body and ETag, or None where botocore has to be asked."""
        if self._by_proxy:
            return None
        path = f"{self._root}/{quote(key, safe='/~')}"
        connection = self._taken()
        try:
            connection.request("GET", path, headers=self._headers(path))
            answer = connection.getresponse()
            etag = answer.headers["ETag"]
            if answer.status == 200 and etag and (answer.length or 0) <= LARGEST:
                body = answer.read()
                self._idle.append(connection)
                return body, etag
            if region := answer.headers["x-amz-bucket-region"]:  # elsewhere than on R2, where every region is auto
                self._signer = S3SigV4Auth(self._credentials, "s3", region)
        except (OSError, HTTPException):
            pass
        connection.close()
        return None

    def _taken(self) -> HTTPConnection:
        """Return a connection that no other thread uses."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return HTTPConnection(host, port, timeout=TIMEOUT_S)
        trusted = ssl.create_default_context(cafile=get_cert_path(True))  # those that botocore trusts
        return HTTPSConnection(host, port, timeout=TIMEOUT_S, context=trusted)

    def _headers(self, path: str) -> dict[str, str]:
        request = AWSRequest("GET", f"{self._url.scheme}://{self._url.netloc}{path}")
        self._signer.add_auth(request)
        return dict(request.headers.items())


def _close(connections: list[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()
