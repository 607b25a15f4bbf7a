"""The bad input table as a page: what was given, where it enters, and the sentence that its user reads.

The inputs are in the modules beside this one and the sentences in ``TABLE.md``, which holds each once.
The tests give every input to the kit and compare every word; after a change that was meant, ``make
bad-input`` writes the page anew, and its difference is what is to be judged.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bad_input import answers, environment, messages, tables, workloads
from tests.bad_input.table import Section

PAGE = Path(__file__).with_name("TABLE.md")

HEAD = """# Bad input, and what is said about it

Nothing of a bad input has been done when its sentence is read, and no sentence shows a key.
"""

ALL = (
    *(tables.CSVS, tables.FRAMES, tables.IDS, tables.EXPERIMENTS, tables.CHOICES),
    *(environment.FILES, environment.VALUES, environment.SETTINGS),
    *(messages.MESSAGES, messages.RECORDS, messages.LISTS),
    *(workloads.CHECKPOINTS, workloads.RESULTS, workloads.GENERATORS),
    *(answers.QUEUE, answers.BUCKET, answers.WRITES, answers.LISTS, answers.SALADCLOUD),
)


def compare(section: Section, told: Sequence[str]) -> None:
    """Compare what was said about each input with the page, or write the page anew where that is wished."""
    rows = zip(section.inputs, told, strict=True)
    lines = [f"| {_cell(given)} | {_cell(sentence)} |" for given, sentence in rows]
    text = "\n".join([f"## {section.title}", "", section.where, "", "| given | told |", "|---|---|", *lines, ""])
    if os.environ.get("WRITE"):
        _write({**kept(), section.title: text})
    assert kept().get(section.title) == text, "where that was meant, try: make bad-input"


def kept() -> dict[str, str]:
    """Return the page's sections by their titles."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:] if PAGE.exists() else []
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def sentence(error: BaseException) -> str:
    """Return what a user reads at the end of a traceback."""
    return f"{type(error).__name__}: {error}"


def _write(sections: Mapping[str, str]) -> None:
    ordered = [sections[section.title] for section in ALL if section.title in sections]
    PAGE.write_text("\n".join([HEAD, *ordered]), encoding="utf-8")


_PYTHONS = re.compile(r"(?<=no JSON: )[^|]*?(?=: line \d)|(?<=recursion depth exceeded)[^.]*")
"""Words that differ from one Python to the next."""


def _cell(text: str) -> str:
    return _PYTHONS.sub("…", text).replace("|", "\\|").replace("\n", "<br>")
