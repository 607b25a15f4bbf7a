"""Looks for input that breaks a property, led by coverage: ``python -m tests.fuzz record -max_total_time=60``.

What follows the property's name goes to libFuzzer. What it finds it writes to a file of its own, and
the same command with that file's path replays it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lrtkit.wire", "json"]):
    from tests.fuzz.mutation import mutated
    from tests.fuzz.properties import PROPERTIES
    from tests.fuzz.seeds import seeds

CORPUS = Path("out", "fuzz", "corpus")
SLOWEST_S = 5
LARGEST = 16_384


def main(name: str, options: list[str]) -> None:
    """Fuzz a property, from its seeds and from what earlier runs have found on."""
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(name)):
        (corpus / f"{number:03}").write_bytes(data)
    replayed = [each for each in options if not each.startswith("-")]
    limits = [f"-timeout={SLOWEST_S}", f"-max_len={LARGEST}"]
    argv = [sys.argv[0], *limits, *options, *([] if replayed else [str(corpus)])]
    atheris.Setup(argv, PROPERTIES[name], custom_mutator=_mutated)
    atheris.Fuzz()


def _mutated(data: bytes, longest: int, seed: int) -> bytes:
    """Change bytes or words, the one as often as the other."""
    changed = atheris.Mutate(data, longest) if seed % 2 else mutated(data, seed)
    return bytes(changed[:longest])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
