"""Changes to an input that bytes alone seldom make: a word of it in the place of another, or lost, or doubled."""

from __future__ import annotations

import random
import re

_WORDS = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s{}\[\],:="]+|.', re.DOTALL)

TOKENS = [
    *(b"NaN", b"-Infinity", b"1e999", b"1e-999", b"-1", b"0", b"1.5", b"-0.0", b"null", b"true", b"[]", b"{}", b'""'),
    *(b'"\\ud800"', b'"\\uffff"', b"\xff", b"\xef\xbb\xbf", b"\n", b"=", b"'", b"1" * 30, b"1" * 5000, b"9" * 19),
    *(b"[" * 300, b'{"a":' * 300, b'"a":1,', b'"_lrt":{},', b'"job_id":"b",', b'"2026-11-24T10:00:00.000Z"', b'"done"'),
]


def mutated(data: bytes, seed: int) -> bytes:
    """Return the input with a few of its words changed."""
    dice = random.Random(seed)
    words = _WORDS.findall(data)
    for _ in range(dice.randint(1, 3)):
        place = dice.randrange(len(words) + 1)
        other = dice.choice([*TOKENS, *words])
        words[place : place + dice.randint(0, 1)] = dice.choice(
            [[], [other], [other], [other, *words[place : place + 1]]]
        )
    return b"".join(words)
