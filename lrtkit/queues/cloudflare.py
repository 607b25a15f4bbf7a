"""Cloudflare's API, as far as R2 needs it: tokens for one bucket, and temporary keys for a prefix of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import urllib3

from lrtkit.wire.errors import BadInput, Denied, LrtError, NotFound, Throttled, Unavailable
from lrtkit.wire.secret import Secret, veiled
from lrtkit.wire.settings import Access

API = "https://api.cloudflare.com/client/v4"
TOKEN = "CLOUDFLARE_API_TOKEN"  # noqa: S105 - the variable's name

LONGEST_S = 604_800
"""The longest that a temporary key can live: seven days."""

WRITES = "Workers R2 Storage Bucket Item Write"
_NEEDED = "'Account API Tokens: Edit' and 'Workers R2 Storage: Edit'"
_CLICK = (
    "Try: in Cloudflare's console, Manage Account, Account API Tokens (not those of My Profile), Create Token, "
    f"Custom token, with the permissions {_NEEDED}, and put the token into the environment as {TOKEN}"
)

JURISDICTIONS = ("default", "eu", "us", "fedramp")
"""Where a bucket's data may be: each has buckets, and an endpoint, of its own."""

_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_TOKEN = re.compile(r"[!-~]+")

_NO_TOKEN = {6003, 6111}
"""What Cloudflare says, as of a request that is wrong altogether, of what cannot be a token."""

_ERRORS = {401: Denied, 403: Denied, 404: NotFound, 429: Throttled}
_MEND = "Try: mend the account's id, or what else it names"
_REMEDIES: dict[type[LrtError], str] = {Denied: _CLICK, Throttled: "Try: again later", Unavailable: "Try: again later"}


@dataclass(frozen=True)
class Cloudflare:
    """One account, entered with an API token that may make tokens and buckets; the token never shows.

    The account's id is the 32 digits in the address of its console. A bucket whose data has to stay in the
    EU or the US is in that ``jurisdiction``.
    """

    account: str
    token: str = field(repr=False)
    jurisdiction: str = "default"
    api: str = API
    url: str | None = None

    def __post_init__(self) -> None:
        """Raise BadInput where one of them cannot be."""
        if not _ACCOUNT.fullmatch(self.account):
            raise BadInput(f"{self.account!r} is no id of an account. Try: the 32 digits in the address of its console")
        if self.jurisdiction not in JURISDICTIONS:
            raise BadInput(f"R2 has no jurisdiction {self.jurisdiction!r}. Try: one of {', '.join(JURISDICTIONS)}")
        if not _TOKEN.fullmatch(self.token):
            raise BadInput(f"a token has neither spaces nor other letters than a-z, and this one has. {_CLICK}")

    @classmethod
    def from_env(
        cls, account: str, env: Mapping[str, str] = os.environ, *, jurisdiction: str = "default"
    ) -> Cloudflare:
        """Take the token from the environment, so that no notebook holds it.

        Raises BadInput that says where it is got.
        """
        env = veiled(env)
        if not env.get(TOKEN):
            raise BadInput(f"{TOKEN} is missing. {_CLICK}")
        return cls(account, Secret(env[TOKEN].strip()), jurisdiction)

    @property
    def bucket_url(self) -> str:
        """Where R2 speaks S3 for this account."""
        place = self.account if self.jurisdiction == "default" else f"{self.account}.{self.jurisdiction}"
        return self.url or f"https://{place}.r2.cloudflarestorage.com"

    def access(self) -> Access:
        """Return the token as a key pair for S3, after a look whether Cloudflare knows it and lets it in."""
        found = self.call("GET", "tokens/verify")
        if found.get("status") != "active":
            raise Denied(f"Cloudflare says that the token is {found.get('status')}. {_CLICK}")
        return Access(str(found["id"]), secret_of(self.token))

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
        what = f"Cloudflare, asked to {method} {path} of account {self.account},"
        try:
            with urllib3.PoolManager(retries=False, timeout=15) as pool:
                answer = pool.request(
                    method,
                    f"{self.api}/accounts/{self.account}/{path}",
                    body=None if body is None else json.dumps(body).encode(),
                    headers=self._headers(path),
                )
        except urllib3.exceptions.HTTPError as error:  # on whose way the token lies open
            raise Unavailable(f"{what} does not answer ({type(error).__name__}). Try: again later") from None
        if answer.status >= 300:
            kind = _kind(answer)
            raise kind(f"{what} said {answer.status}: {_reason(answer)}. {_REMEDIES.get(kind, _MEND)}")
        try:
            return answer.json()["result"]
        except (ValueError, KeyError, TypeError):
            raise Unavailable(f"{what} answered with something else than JSON. Try: look at your network") from None

    def _headers(self, path: str) -> dict[str, str]:
        """Return the headers; which bucket of two with one name is meant, its jurisdiction tells."""
        place = {"cf-r2-jurisdiction": self.jurisdiction} if path.startswith("r2/") else {}
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **place}


def secret_of(token: str) -> str:
    """Return the secret that a token is to S3."""
    return hashlib.sha256(token.encode()).hexdigest()


def _kind(answer: urllib3.BaseHTTPResponse) -> type[LrtError]:
    if _NO_TOKEN & {each.get("code") for each in _errors(answer)}:
        return Denied
    return _ERRORS.get(answer.status) or (Unavailable if answer.status >= 500 else BadInput)


def _reason(answer: urllib3.BaseHTTPResponse) -> str:
    return "; ".join(str(each.get("message")) for each in _errors(answer)) or "no reason given"


def _errors(answer: urllib3.BaseHTTPResponse) -> list[dict[str, Any]]:
    """Return what it says is wrong; of a web page, as comes from between, nothing."""
    try:
        return [dict(each) for each in answer.json()["errors"]]
    except (ValueError, KeyError, TypeError):
        return []
