"""The page as a whole."""

from __future__ import annotations

from tests.bad_input.page import ALL, kept


def test_the_page_has_every_input() -> None:
    """Each section and each of its inputs is there in its order, and nothing that nobody gives any more."""
    page = kept()
    assert list(page) == [section.title for section in ALL]
    for section in ALL:
        rows = page[section.title].split("|---|---|\n")[1].splitlines()
        assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(section.inputs)
    assert sum(len(section.inputs) for section in ALL) >= 60


def test_every_sentence_is_one_of_the_kit() -> None:
    """None is an error of Python that nobody has explained, and none shows how an exception looks inside."""
    page = "".join(kept().values())
    assert not [word for word in ("TypeError", "KeyError(", "AttributeError", "Traceback", "0x7f") if word in page]
