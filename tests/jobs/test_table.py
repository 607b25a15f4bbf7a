"""Reading tables: which cells a row has, whatever shape the table came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lrtkit.jobs import BadTable
from lrtkit.jobs.table import read
from lrtkit.wire.errors import BadInput


def cells(table: Any) -> list[dict[str, Any]]:
    return [dict(row.cells) for row in read(table)]


def csv(folder: Path, text: str) -> Path:
    path = folder / "jobs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_dictionaries_are_rows_as_they_are() -> None:
    """Rows of dictionaries may have different keys, and an iterator is read once."""
    rows = [{"steps": 1}, {"steps": 2, "lr": 0.1}]
    assert cells(iter(rows)) == rows


def test_integers_beside_other_columns_stay_integers() -> None:
    """A row of mixed types does not turn its integers into floats."""
    frame = pd.DataFrame({"steps": [1, 2], "lr": [0.5, 1.0], "on": [True, False]})
    (row, _) = cells(frame)
    assert {name: type(value) for name, value in row.items()} == {"steps": int, "lr": float, "on": bool}


def test_named_levels_of_the_index_are_columns() -> None:
    """What the index says about the jobs is not lost."""
    frame = pd.DataFrame(
        {"steps": [5, 6]}, index=pd.MultiIndex.from_tuples([(1.0, "a"), (2.0, "b")], names=["t", "job_id"])
    )
    assert cells(frame) == [{"t": 1.0, "job_id": "a", "steps": 5}, {"t": 2.0, "job_id": "b", "steps": 6}]


def test_an_index_of_text_names_the_jobs() -> None:
    """Labels of text are names where no column is."""
    assert cells(pd.DataFrame({"steps": [5]}, index=["a"])) == [{"steps": 5, "job_id": "a"}]
    assert cells(pd.DataFrame({"steps": [5], "name": ["b"]}, index=["a"])) == [{"steps": 5, "name": "b"}]


def test_other_labels_only_tell_where_a_row_is() -> None:
    """The numbers left over from a selection are no part of the jobs."""
    frame = pd.DataFrame({"steps": [5, 6, 7]})
    (row,) = read(frame[frame["steps"] > 6])
    assert (row.label, row.cells) == (2, {"steps": 7})


def test_csv_values_are_what_they_look_like(tmp_path: Path) -> None:
    """Numbers, integers and truth values of a CSV are no text; names stay text, and an empty cell is none."""
    path = csv(tmp_path, "job_id,steps,lr,on,mode\n007,10,2.00,true,a\n8,20,3.00,false,\n")
    first, second = cells(path)
    assert first == {"job_id": "007", "steps": 10, "lr": 2.0, "on": True, "mode": "a"}
    assert [type(first[name]) for name in ("steps", "lr", "on")] == [int, float, bool]
    assert (second["job_id"], second["mode"]) == ("8", pd.NA)


def test_csv_numbers_are_exact(tmp_path: Path) -> None:
    """A number of a CSV is the one that Python reads, to the last digit."""
    numbers = ["0.1", "1.2345678901234567", "6.62607015e-34", "0.30000000000000004"]
    assert [row["x"] for row in cells(csv(tmp_path, "\n".join(["x", *numbers])))] == [float(text) for text in numbers]


def test_csv_of_a_spreadsheet(tmp_path: Path) -> None:
    """The mark that spreadsheets put before UTF-8 is no part of the first column's name."""
    assert cells(str(csv(tmp_path, "\ufeffsteps\n5\n"))) == [{"steps": 5}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one fault:\n  the table is empty. Try: a header and a row a job"),
        (",steps\n0,5\n", "one fault:\n  column 0 has no name. Try: name it, or write the CSV by to_csv(index=False)"),
        ("steps,lr,steps\n1,2,3\n", "one fault:\n  column steps: is there more than once. Try: rename or drop one"),
        (
            "steps,lr\n10,0.1\n1O,0.2\n30,0.3\n",
            "one fault:\n  row 1, column steps: is no number, as most of the column are. "
            "Try: mend it, or submit a DataFrame",
        ),
        (
            "seed\n5\n123456789012345678901234567890\n",
            "one fault:\n  row 1, column seed: has more digits than a whole number of a CSV can have. "
            "Try: mend it, or submit a DataFrame",
        ),
    ],
)
def test_bad_csv(text: str, message: str, tmp_path: Path) -> None:
    """What a CSV cannot mean is told before any row is looked at."""
    with pytest.raises(BadTable) as caught:
        read(csv(tmp_path, text))
    assert str(caught.value) == f"nothing was sent, as the table has {message}"


def test_text_with_a_few_numbers_is_text(tmp_path: Path) -> None:
    """A column of words in which one happens to be a number is taken as it is."""
    assert [row["layer"] for row in cells(csv(tmp_path, "layer\nall\nfirst\n3\n"))] == ["all", "first", "3"]


@pytest.mark.parametrize("text", ["a,b\n1,2,3\n4,5,6,7\n", "a,b\n1,2\n4,5,6\n", "a,b\n1,2,3\n4,5,6\n"])
def test_rows_longer_than_the_header(text: str, tmp_path: Path) -> None:
    """Cells without a column are told, rather than dropped or moved to the next column."""
    with pytest.raises(BadInput, match=r"jobs\.csv cannot be read as a CSV: .*Try: UTF-8, commas, one header"):
        read(csv(tmp_path, text))


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    """A file that is not UTF-8 is told so."""
    path = tmp_path / "jobs.csv"
    path.write_bytes("steps,name\n1,Müller\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"jobs\.csv cannot be read as a CSV: .*Try: UTF-8"):
        read(path)


def test_missing_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads nowhere is told with the folder that it was looked for in."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        read("none.csv")
    assert str(caught.value) == f"there is no CSV none.csv. Try: the path from {tmp_path}, or a full one"


def test_name_in_index_and_column() -> None:
    """Two sources of one column are a question to the user."""
    frame = pd.DataFrame({"job_id": ["a"]}, index=pd.Index(["b"], name="job_id"))
    with pytest.raises(BadInput, match="'job_id' is both in the index and a column"):
        read(frame)


def test_what_is_no_table() -> None:
    """A list of something else is told by its first such row."""
    with pytest.raises(BadInput, match=r"row 1 is 5\. Try: a DataFrame, the path of a CSV, or dictionaries"):
        cells([{"steps": 1}, 5])
