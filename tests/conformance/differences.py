"""Where the servers differ from the documentation, as far as it is known. Anything else is news, and fails a test."""

from __future__ import annotations

from tests.conformance.rules import Rule, Verdict

_NO_ATTEMPTS = "knows no ReceiveRequestAttemptId: a repeated receive finds the message held"
_NO_MINUTE = "does not make anybody wait for a minute"
_NO_R2 = "is an S3, and this is R2's own limit"
_STALE = "a handle outlives its lease and may extend, free and delete another holder's message"
_WORDS = "the same refusal under the code ReceiptHandleIsInvalid"
_LAX = "takes what SQS refuses"

DIFFERENCES: dict[str, dict[str, str]] = {
    "ministack": {
        "longer-ids-are-refused": _LAX,
        "other-characters-in-ids-are-refused": _LAX,
        "attributes-count-towards-the-length": "counts the body alone",
        "an-attribute-is-never-empty": _LAX,
        "a-message-has-ten-attributes-at-most": _LAX,
        "a-repeated-attempt-gives-the-same": _NO_ATTEMPTS,
        "a-repeated-attempt-begins-the-lease-anew": _NO_ATTEMPTS,
        "a-receive-prefers-one-group": "takes the oldest of all groups",
        "numbers-out-of-range-are-refused": "brings them into the range",
        "a-lapsed-handle-extends-nothing": "as long as nobody else has the message, its last holder may extend it",
        "a-lapsed-handle-deletes-nothing": "as long as nobody else has the message, its last holder may delete it",
        "a-stale-delete-says-that-the-handle-has-expired": _WORDS,
        "a-stale-extension-has-the-same-code": _WORDS,
        "a-message-can-be-deleted-twice": "refuses the second delete",
        "a-lease-has-twelve-hours-at-most": _LAX,
        "twelve-hours-count-from-the-receive": "lets a lease run on for ever",
        "the-name-of-a-fifo-queue-ends-in-fifo": _LAX,
        "unknown-attributes-are-refused": _LAX,
        "a-queue-is-purged-once-a-minute": _NO_MINUTE,
        "a-dead-letter-queue-knows-its-sources": "has no such action",
        "a-key-takes-one-write-a-second": _NO_R2,
        "a-key-has-1024-bytes-at-most": "takes longer keys",
        "metadata-have-8-kilobytes-at-most": _NO_R2,
        "a-part-has-five-mebibytes-at-least": "takes smaller parts",
        "parts-are-named-in-order": "sorts them",
    },
    "moto": {
        "a-dropped-duplicate-is-answered-as-the-first-was": "answers with a new id",
        "the-same-id-after-a-delete-is-dropped": "forgets deduplication when the message is deleted",
        "deduplication-can-be-by-group": "always deduplicates in the whole queue",
        "longer-ids-are-refused": _LAX,
        "other-characters-in-ids-are-refused": _LAX,
        "attributes-count-towards-the-length": "counts the body alone",
        "an-empty-message-is-refused": _LAX,
        "characters-that-xml-lacks-are-refused": _LAX,
        "an-attribute-is-never-empty": _LAX,
        "a-message-has-ten-attributes-at-most": _LAX,
        "a-batch-is-refused-by-entry": "takes what SQS refuses, and so the whole batch",
        "a-repeated-attempt-gives-the-same": _NO_ATTEMPTS,
        "a-repeated-attempt-begins-the-lease-anew": _NO_ATTEMPTS,
        "a-receive-prefers-one-group": "takes the oldest of all groups",
        "a-poll-is-woken-by-what-is-given-back": "the poll sleeps on",
        "a-poll-is-woken-by-a-delete": "the poll sleeps on",
        "a-dead-letter-keeps-its-ids": "does not tell the queue that it was in",
        "a-thousand-receives-are-the-most": _LAX,
        "a-stale-handle-extends-nothing": _STALE,
        "a-stale-handle-deletes-nothing": _STALE,
        "a-lapsed-handle-extends-nothing": _STALE,
        "a-lapsed-handle-deletes-nothing": _STALE,
        "a-stale-delete-says-that-the-handle-has-expired": _STALE,
        "a-stale-extension-has-the-same-code": _STALE,
        "retention-is-from-a-minute-to-fourteen-days": _LAX,
        "unknown-attributes-are-refused": _LAX,
        "attributes-out-of-range-are-refused": _LAX,
        "a-key-takes-one-write-a-second": _NO_R2,
        "a-key-has-1024-bytes-at-most": "takes longer keys",
        "metadata-have-8-kilobytes-at-most": _NO_R2,
        "parts-are-named-in-order": "refuses them for another reason",
        "an-upload-that-was-given-up-is-gone": "fails inside",
        "the-name-of-a-bucket-is-plain": _LAX,
    },
    "localstack": {
        "a-dropped-duplicate-is-answered-as-the-first-was": "answers with a new sequence number",
        "a-message-has-ten-attributes-at-most": _LAX,
        "a-repeated-attempt-gives-the-same": _NO_ATTEMPTS,
        "a-repeated-attempt-begins-the-lease-anew": _NO_ATTEMPTS,
        "what-is-given-back-waits-for-what-is-held": "hands it out",
        "numbers-out-of-range-are-refused": "takes 0 messages for 1, and any time-out",
        "dead-letters-of-fifo-are-fifo": _LAX,
        "a-stale-handle-extends-nothing": _STALE,
        "a-stale-handle-deletes-nothing": _STALE,
        "a-lapsed-handle-extends-nothing": _STALE,
        "a-stale-delete-says-that-the-handle-has-expired": _STALE,
        "a-stale-extension-has-the-same-code": _STALE,
        "a-lease-has-twelve-hours-at-most": _LAX,
        "twelve-hours-count-from-the-receive": "lets a lease run on for ever",
        "retention-is-from-a-minute-to-fourteen-days": _LAX,
        "attributes-out-of-range-are-refused": _LAX,
        "a-queue-is-purged-once-a-minute": _NO_MINUTE,
    },
    "SeaweedFS": {
        "a-bucket-that-is-not-there-is-told": "answers a write with AccessDenied",
        "if-match-of-nothing-is-no-such-key": "answers PreconditionFailed, as R2 may",
        "a-key-takes-one-write-a-second": _NO_R2,
        "metadata-have-8-kilobytes-at-most": _NO_R2,
        "a-listing-is-in-the-order-of-keys": "walks folders: a/b comes before a-b",
    },
}


def expected(place: str, rule: Rule) -> Verdict:
    """Return the verdict that is no news."""
    return Verdict.DIFFERS if rule.id in DIFFERENCES.get(place, {}) else Verdict.HOLDS
