"""What a try came to, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError

from lrtkit.queues.patience import code
from lrtkit.wire import aws
from lrtkit.wire.errors import Denied, LrtError, NotFound, Unavailable


class Verdict(StrEnum):
    """How a try went, beside how it should have gone."""

    WORKS = "works"
    REFUSED = "refused, as it should be"
    NOT_ENFORCED = "not refused: policies are not enforced here"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One try: what was tried, of what, how it went, and what to do where it is wrong.

    ``is_refusal`` tells that the key was turned away from what its holder must be able to do.
    """

    check: str
    subject: str
    verdict: Verdict
    remedy: str = ""
    is_refusal: bool = False


def closed(subject: str, make: Callable[[], object]) -> Finding | None:
    """Return what is wrong where nothing is there or answers, or knows this key, so that nothing else need be tried."""
    try:
        with aws.explained(subject):
            make()
    except Unavailable as error:
        remedy = f"{_said(error)}. Try: mend its address, or look at your network"
        return Finding("answers", subject, Verdict.WRONG, remedy)
    except Denied as error:
        return Finding("key", subject, Verdict.WRONG, str(error)) if _code(error) in _NO_KEY else None
    except LrtError as error:
        return None if _is_in(error) else Finding("is there", subject, Verdict.WRONG, str(error))
    return None


_NO_KEY = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "Unauthorized",
    "UnrecognizedClientException",
}
"""What is said of a key that is mistyped, unknown, expired or used by a wrong clock, whatever it may do."""


def _said(error: LrtError) -> str:
    """Return an error without its advice, where there is better advice."""
    return str(error).partition(". Try: ")[0]


_NOTHING_THERE = {"NoSuchKey", "NoSuchLifecycleConfiguration"}


def _is_in(error: LrtError) -> bool:
    """Tell whether a call was let in, and only turned back for what it asked."""
    if isinstance(error, NotFound):
        return _code(error) in _NOTHING_THERE
    return not isinstance(error, Unavailable)


def _code(error: LrtError) -> str:
    cause = error.__cause__
    return code(cause) if isinstance(cause, ClientError) else ""


@dataclass(frozen=True)
class Try:
    """A call that is let in or refused without doing anything, and whether it must be let in."""

    call: str
    subject: str
    make: Callable[[], object]
    must_work: bool

    def finding(self, *, enforced: bool) -> Finding:
        """Make the call, and say how it went."""
        try:
            with aws.explained(f"{self.call} on {self.subject}"):
                self.make()
        except Denied as error:
            return self._refused(error)
        except LrtError as error:
            if not _is_in(error):
                return Finding(self.call, self.subject, Verdict.WRONG, str(error))
        return self._let_in(enforced=enforced)

    def _refused(self, error: Denied) -> Finding:
        if not self.must_work:
            return Finding(self.call, self.subject, Verdict.REFUSED)
        remedy = f"{_said(error)}. Try: apply the set-up again, as in notebook 01; a change may need a minute"
        return Finding(self.call, self.subject, Verdict.WRONG, remedy, is_refusal=True)

    def _let_in(self, *, enforced: bool) -> Finding:
        if self.must_work:
            return Finding(self.call, self.subject, Verdict.WORKS)
        if not enforced:
            return Finding(self.call, self.subject, Verdict.NOT_ENFORCED)
        remedy = "this key may do more than its role needs. Try: apply the set-up again, and detach the user's policies"
        return Finding(self.call, self.subject, Verdict.WRONG, remedy)
