"""Cloudflare's API, as far as R2 needs it: tokens for one bucket, and temporary keys for a prefix of it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import urllib3

from lrtkit.wire.errors import BadInput, Denied, NotFound, Throttled, Unavailable
from lrtkit.wire.settings import Access

API = "https://api.cloudflare.com/client/v4"
TOKEN = "CLOUDFLARE_API_TOKEN"  # noqa: S105 - the variable's name

LONGEST_S = 604_800
"""The longest that a temporary key can live: seven days."""

WRITES = "Workers R2 Storage Bucket Item Write"
_NEEDED = "'Account API Tokens: Edit' and 'Workers R2 Storage: Edit'"
_CLICK = (
    "Try: in Cloudflare's console, Manage Account, Account API Tokens, Create Token, Custom token, "
    f"with the permissions {_NEEDED}, and put the token into the environment as {TOKEN}"
)

_ERRORS = {401: Denied, 403: Denied, 404: NotFound, 429: Throttled}


@dataclass(frozen=True)
class Cloudflare:
    """One account, entered with an API token that may make tokens and buckets; the token never shows."""

    account: str
    token: str = field(repr=False)
    api: str = API
    url: str | None = None

    @classmethod
    def from_env(cls, account: str, env: Mapping[str, str] = os.environ) -> Cloudflare:
        """Take the token from the environment, so that no notebook holds it; raise BadInput that says where it is got.

        The account's id is the 32 digits in the address of its console.
        """
        if not env.get(TOKEN):
            raise BadInput(f"{TOKEN} is missing. {_CLICK}")
        return cls(account, env[TOKEN])

    @property
    def bucket_url(self) -> str:
        """Where R2 speaks S3 for this account."""
        return self.url or f"https://{self.account}.r2.cloudflarestorage.com"

    def access(self) -> Access:
        """Return the token as a key pair for S3, after a look whether Cloudflare knows it."""
        token_id = self.call("GET", "tokens/verify")["id"]
        return Access(str(token_id), secret_of(self.token))

    def temporary(
        self, parent: Access, bucket: str, prefixes: Sequence[str] = (), *, seconds: int, write: bool = True
    ) -> Access:
        """Return a key for some prefixes of a bucket that ends by itself, and with the token that it stems from.

        For workers on machines of strangers: ``prefixes=["argon/"]`` leaves one experiment to them, for
        up to seven days. Raises BadInput where the time is out of bounds or a prefix does not end in a slash.
        """
        if not 0 < seconds <= LONGEST_S:
            raise BadInput(f"a temporary key lives for 1 to {LONGEST_S:,} s, not {seconds:,}. Try: seconds=86_400")
        wrong = [prefix for prefix in prefixes if not prefix.endswith("/")]
        if wrong:
            raise BadInput(f"{wrong[0]!r} would also be the beginning of other names. Try: {wrong[0] + '/'!r}")
        wish = {
            "bucket": bucket,
            "parentAccessKeyId": parent.key_id,
            "permission": "object-read-write" if write else "object-read-only",
            "ttlSeconds": seconds,
            **({"prefixes": list(prefixes)} if prefixes else {}),
        }
        key = self.call("POST", "r2/temp-access-credentials", wish)
        return Access(key["accessKeyId"], key["secretAccessKey"], key["sessionToken"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call on the account, and return its result; raise Denied with what to click where it is refused."""
        what = f"Cloudflare, asked to {method} {path},"
        try:
            with urllib3.PoolManager(retries=False, timeout=15) as pool:
                answer = pool.request(
                    method,
                    f"{self.api}/accounts/{self.account}/{path}",
                    body=None if body is None else json.dumps(body).encode(),
                    headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
                )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{what} does not answer ({type(error).__name__}). Try: again later") from error
        if answer.status >= 300:
            kind = _ERRORS.get(answer.status) or (Unavailable if answer.status >= 500 else BadInput)
            remedy = _CLICK if kind is Denied else "Try: mend what it names"
            raise kind(f"{what} said {answer.status}: {_reason(answer)}. {remedy}")
        return answer.json()["result"]


def secret_of(token: str) -> str:
    """Return the secret that a token is to S3."""
    return hashlib.sha256(token.encode()).hexdigest()


def _reason(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        return "; ".join(str(each["message"]) for each in answer.json()["errors"]) or "no reason given"
    except (ValueError, KeyError, TypeError):
        return "no reason given"
