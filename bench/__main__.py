"""Measures the kit and prints one table."""

from __future__ import annotations

import importlib
import sys
import time

from bench.table import HEADS, WIDTHS, line

FIGURES = ("idle", "resume", "calls", "goodput", "stall", "overhead", "submit", "status", "board")


def main(names: list[str]) -> int:
    """Measure the figures of these names, or all; the verdicts are told, and no exit code depends on them."""
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"bench: there is no figure {unknown[0]!r}. Try: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    began = time.monotonic()
    print(line(*HEADS))
    print(line(*("-" * width for width in WIDTHS)))
    for name in names or FIGURES:
        for row in importlib.import_module(f"bench.{name}").measure():
            print(row, flush=True)
    print(f"\nmeasured in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
