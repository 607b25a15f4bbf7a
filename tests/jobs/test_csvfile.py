"""CSVs, of which no more than a piece is ever in memory: they read as if they were read at once."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.jobs import BadTable, read
from lrtkit.jobs.csvfile import PIECE, CsvFile
from lrtkit.jobs.faults import KEPT
from lrtkit.wire.errors import BadInput


def written(folder: Path, cells: Sequence[str], name: str = "x") -> Path:
    path = folder / "jobs.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[name, "n"], *([cell, 1] for cell in cells)])
    return path


def column(path: Path, name: str = "x") -> list[Any]:
    return [row.cells[name] for row in read(path)]


def same(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Tell whether values are equal, of equal types."""
    return [(type(value), value) for value in found] == [(type(value), value) for value in expected]


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [
        ("1", "0.5", (1.0, 0.5)),
        ("0.5", "1", (0.5, 1.0)),
        ("1", "-7", (1, -7)),
        ("1", "18446744073709551615", (1, 2**64 - 1)),
        ("-1", "18446744073709551615", (-1, 2**64 - 1)),
        ("true", "False", (True, False)),
        ("a", "b", ("a", "b")),
    ],
)
def test_a_column_has_one_type(early: str, late: str, expected: tuple[Any, Any], tmp_path: Path) -> None:
    """What the last row of many says about the type holds for the first one too."""
    found = column(written(tmp_path, [*[early] * PIECE, late]))
    assert same(found, [*[expected[0]] * PIECE, expected[1]])


def test_names_are_text_in_every_piece(tmp_path: Path) -> None:
    """A name of digits keeps its zeros, wherever it stands."""
    assert column(written(tmp_path, [*["007"] * PIECE, "a"], "job_id"), "job_id")[::PIECE] == ["007", "a"]


@pytest.mark.parametrize(
    ("late", "problem"),
    [
        ("1O", "is no number, as most of the column are"),
        ("1" * 30, "has more digits than a whole number of a CSV can have"),
        ("true", "is no number, as most of the column are"),
    ],
)
def test_a_slip_is_found_wherever_it_is(late: str, problem: str, tmp_path: Path) -> None:
    """One cell that does not fit is told by its row, and nothing else becomes text because of it."""
    with pytest.raises(BadTable) as caught:
        read(written(tmp_path, [*["10"] * PIECE, late, "10"]))
    assert str(caught.value).splitlines()[1:] == [
        f"  row {PIECE}, column x: {problem}. Try: mend it, or submit a DataFrame"
    ]


def test_words_with_pieces_of_numbers_are_words(tmp_path: Path) -> None:
    """A stretch of numbers, longer than a piece, stays text in a column of more words than that."""
    cells = [*["003"] * PIECE, *["all"] * (PIECE + 1)]
    assert column(written(tmp_path, cells)) == cells


CELLS = st.sampled_from(["1", "-2", "007", "0.5", "1e3", "inf", "true", "FALSE", "x", "1 2", "", "NA"])


@given(st.lists(CELLS, min_size=1, max_size=12), st.integers(1, 4))
def test_pieces_read_as_the_whole_does(tmp_path_factory: pytest.TempPathFactory, cells: list[str], piece: int) -> None:
    """However small the pieces, values, types and faults are those of a CSV read at once."""
    path = written(tmp_path_factory.mktemp("csv", numbered=True), cells)
    assert _outcome(path, piece) == _outcome(path, len(cells))


def _outcome(path: Path, piece: int) -> Any:
    try:
        found = pd.concat([each.astype(object) for each in CsvFile(path, piece=piece).pieces()])
    except BadTable as error:
        return error.count, sorted(error.faults["row"])
    return [(type(value), str(value)) for value in found["x"] if not pd.isna(value)], found["x"].isna().tolist()


def test_many_slips_are_counted_and_a_few_are_kept(tmp_path: Path) -> None:
    """The number told is the true one, and the frame of faults stays small."""
    slips = KEPT + 500
    with pytest.raises(BadTable, match=f"as the table has {slips:,} faults:") as caught:
        read(written(tmp_path, [*["1O"] * slips, *["10"] * 2 * slips]))
    assert (caught.value.count, len(caught.value.faults)) == (slips, KEPT)
    assert str(caught.value).endswith(f"… and {slips - 5:,} more. Try: show the `.faults` of this error, a DataFrame")


@pytest.mark.parametrize("late", ["10", "10.5", "abc", None])
def test_a_csv_that_changes_while_it_is_read(late: str | None, tmp_path: Path) -> None:
    """What is written to it between its two readings was not checked, and refuses the whole; so does its end."""
    path = written(tmp_path, ["10"] * 3 * PIECE)
    rows = iter(read(path))
    next(rows)
    if late:
        with path.open("a") as file:
            file.write(f"{late},1\n")
    else:
        path.unlink()
    with pytest.raises(BadInput) as caught:
        list(rows)
    assert str(caught.value) == f"{path} was changed while it was read, and nothing was sent. Try: again"
