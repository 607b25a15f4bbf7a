"""Rows become jobs, or a table of everything that is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtkit.jobs import BadTable, Known, Rules, Table, read
from lrtkit.jobs import check as lazily
from lrtkit.wire.errors import BadInput
from lrtkit.wire.job import Job, fingerprint, parse

MIB = 1024 * 1024


def check(table: Table, rules: Rules) -> list[Job]:
    return list(lazily(read(table), rules))


def ids(table: Any, **rules: Any) -> list[str]:
    return [job.job_id for job in check(table, Rules("exp", MIB, **rules))]


def faults(table: Any, *, largest: int = MIB, **rules: Any) -> list[str]:
    with pytest.raises(BadTable) as caught:
        check(table, Rules("exp", largest, **rules))
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("nothing was sent, as the table has ")
    assert len(caught.value.faults) == len(rest) or rest[-1].endswith(
        "Try: show the `.faults` of this error, a DataFrame"
    )
    return [line.removeprefix("  ") for line in rest]


def test_job_id_names_a_job() -> None:
    """The name comes from job_id, else from name, else from the fingerprint, and stands behind the experiment's."""
    assert ids([{"job_id": "a", "name": "b", "steps": 1}]) == ["exp/a"]
    assert ids([{"name": "b", "steps": 1}]) == ["exp/b"]
    assert ids([{"steps": 1}]) == [f"exp/{fingerprint({'steps': 1})[:16]}"]


def test_the_name_is_no_field_unless_job_id_is_there_too() -> None:
    """What names the job is not part of what it computes."""
    (named,) = check([{"name": "b", "steps": 1}], Rules("exp", MIB))
    (both,) = check([{"job_id": "a", "name": "b", "steps": 1}], Rules("exp", MIB))
    assert named.fields == {"job_id": "exp/b", "steps": 1}
    assert both.fields == {"job_id": "exp/a", "name": "b", "steps": 1}


def test_a_whole_id_stays() -> None:
    """A frame that came out of the kit can go in again."""
    assert ids(pd.DataFrame({"steps": [1]}, index=pd.Index(["exp/a"], name="job_id"))) == ["exp/a"]


def test_numbers_as_names() -> None:
    """Whole numbers are as good as names as text is."""
    assert ids(pd.DataFrame({"job_id": [1, 2], "steps": [5, 5]})) == ["exp/1", "exp/2"]


def test_fingerprint_ids_do_not_depend_on_the_order_of_columns() -> None:
    """The same row is the same job on the next day, from another notebook."""
    assert ids([{"steps": 1, "lr": 0.5}]) == ids(pd.DataFrame({"lr": [0.5], "steps": [1]}))


BAD_ROWS: list[tuple[Any, list[str]]] = [
    ([], ["the table has no rows. Try: a row a job"]),
    (pd.DataFrame({"steps": []}), ["the table has no rows. Try: a row a job"]),
    (
        pd.DataFrame({"job_id": ["a"], "step": [5]}),
        ["there is no column 'steps', only job_id, step. Try: add it, or submit(…, required=())"],
    ),
    ([{"steps": 1}, {"lr": 0.5}], ["row 1, column steps: is missing"]),
    (
        pd.DataFrame({"job_id": ["a", "b", "a"], "steps": [1, 2, 3]}),
        [
            "row 0, column job_id: exp/a is also the job of row 2. Try: a job_id of its own for each row",
            "row 2, column job_id: exp/a is also the job of row 0. Try: a job_id of its own for each row",
        ],
    ),
    (
        pd.DataFrame({"steps": [1, 1]}),
        [
            "row 0: has the same values as row 1. Try: drop one, or add a column such as seed",
            "row 1: has the same values as row 0. Try: drop one, or add a column such as seed",
        ],
    ),
    (
        [{"job_id": "a b", "steps": 1}],
        [
            "row 0, column job_id: job_id 'exp/a b' must be 1 to 128 of A-Z a-z 0-9 . _ = / - "
            "and begin with a letter or digit"
        ],
    ),
    (
        [{"name": "a/../b", "steps": 1}],
        ["row 0, column name: job_id 'exp/a/../b' must not have an empty, '.' or '..' part between its slashes"],
    ),
    ([{"job_id": 1.5, "steps": 1}], ["row 0, column job_id: job_id must be text, not 1.5"]),
    ([{"job_id": True, "steps": 1}], ["row 0, column job_id: job_id must be text, not True"]),
    (
        [{"job_id": "files", "steps": 1}],
        ["row 0, column job_id: job_id 'exp/files' has the part 'files', which the bucket needs for itself"],
    ),
    ([{"job_id": None, "steps": 1}], ["row 0, column job_id: has no value. Try: give it one, or drop the row"]),
    (
        pd.DataFrame({"steps": [1.0, np.nan], "lr": [np.inf, 1.0]}, index=[10, 20]),
        [
            "row 10, column lr: is infinite. Try: a finite number, or text",
            "row 20, column steps: has no value. Try: give it one, or drop the row",
        ],
    ),
    (
        [{"steps": 1, "grid": {"lr": [0.1, None]}}],
        ["row 0, column grid: has no value at ['lr'][1]. Try: give it one, or drop the row"],
    ),
    ([{"steps": 1.5}], ["row 0, column steps: must be a whole number of at least 1, not 1.5"]),
    ([{"steps": "10"}], ["row 0, column steps: must be a whole number of at least 1, not '10'"]),
    ([{"steps": 0}], ["row 0, column steps: must be a whole number of at least 1, not 0"]),
    *(
        (
            [{"steps": 1, "timeout_seconds": limit}],
            [
                f"row 0, column timeout_seconds: must be a number of seconds above 0, not {limit!r}. "
                "Try: drop it where there is no limit"
            ],
        )
        for limit in ("1h", True, 0, -1.5)
    ),
    (
        [{"steps": 1, 2: 3}],
        ["column 2: the name of a column must be text. Try: df.rename(columns=str)"],
    ),
    (
        [{"steps": 1, "text": "x" * 2000}],
        [
            "row 0, column text: the job has 2,053 bytes, and no more than 2,000 can be sent. "
            "Try: keep this value in a file"
        ],
    ),
    (
        [{"steps": 1, "text": "ü" * 990}],
        [
            "row 0, column text: the job has 2,033 bytes, and no more than 2,000 can be sent. "
            "Try: keep this value in a file"
        ],
    ),
]


@pytest.mark.parametrize(("table", "expected"), BAD_ROWS)
def test_bad_tables(table: Any, expected: list[str]) -> None:
    """Each fault is told by row, column and what to do."""
    assert faults(table, largest=2000, required=("steps",)) == expected


def test_all_faults_are_told_at_once() -> None:
    """The message shows the first few, and the error has all of them as a frame, with the values."""
    table = pd.DataFrame({"job_id": [f"j {n}" for n in range(10)], "steps": [0] * 10})
    with pytest.raises(BadTable, match="as the table has 10 faults:") as caught:
        check(table, Rules("exp", MIB))
    assert str(caught.value).splitlines()[-1] == ("  … and 5 more. Try: show the `.faults` of this error, a DataFrame")
    found = caught.value.faults
    assert list(found.columns) == ["row", "column", "value", "problem"]
    assert found["value"].tolist() == table["job_id"].tolist()
    assert isinstance(caught.value, BadInput)


def test_many_twins_are_named_in_short() -> None:
    """A thousand rows of one name do not make a thousand names a line."""
    told = faults([{"job_id": "a", "steps": 1}] * 1000)
    assert told[0].startswith("row 0, column job_id: exp/a is also the job of row 1, 2, 3, 4, 5 and 994 more.")


def test_rows_of_odd_labels_are_told_apart() -> None:
    """Rows are called what the index calls them, also where that is nothing, a truth value or a time."""
    labels = [pd.NA, True, pd.Timestamp("2026-11-24")]
    told = faults(pd.DataFrame({"name": "a", "steps": [1, 2, 3]}, index=pd.Index(labels, dtype=object)))
    assert told[0].startswith("row <NA>, column name: exp/a is also the job of row True, 2026-11-24 00:00:00.")


def test_a_row_without_columns_is_a_row() -> None:
    """What is missing is told as for any other row."""
    (told,) = faults([{}], required=("steps",))
    assert told.startswith("there is no column 'steps', only ")


def test_what_is_nested_too_deeply() -> None:
    """A list inside itself is refused and does not end the kernel."""
    endless: list[Any] = []
    endless.append(endless)
    assert faults([{"steps": 1, "list": endless}]) == ["row 0, column list: is nested too deeply"]


def test_required_columns_are_the_callers_choice() -> None:
    """A workload without steps is submitted without."""
    assert len(ids([{"epochs": 1}], required=("epochs",))) == 1


def known(**fields: Any) -> dict[str, Known]:
    whole = {"job_id": "exp/a", **fields}
    return {"exp/a": Known("running", accepted=True, fingerprint=fingerprint(whole), fields=whole)}


def test_the_same_job_again_is_no_fault() -> None:
    """A job that is known is still a job of the table."""
    assert ids([{"job_id": "a", "steps": 1, "on": True}], known=known(steps=1, on=True)) == ["exp/a"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"steps": 2}, "column steps: was 1 when submitted and is 2"),
        ({"steps": 1, "lr": 0.5}, "column lr: was not there when submitted and is 0.5"),
        ({}, "column steps: was 1 when submitted and is gone"),
        ({"steps": True}, None),
    ],
)
def test_a_changed_job_is_a_question(now: dict[str, Any], expected: str | None) -> None:
    """A known name with other values is refused, and the values that changed are named."""
    if expected:
        told = f"row 0, {expected}, and exp/a is running. Try: another job_id for the changed job"
        assert faults([{"job_id": "a", **now}], known=known(steps=1)) == [told]


def test_one_and_one_point_naught_differ() -> None:
    """A change of type that JSON keeps is a change, also inside of values."""
    told = faults([{"job_id": "a", "grid": {"n": 1.0}}], known=known(grid={"n": 1}))
    assert told == [
        "row 0, column grid: was {'n': 1} when submitted and is {'n': 1.0}, and exp/a is running. "
        "Try: another job_id for the changed job"
    ]


def test_a_changed_job_without_its_submission() -> None:
    """Where only the record tells that values differ, at least that is said."""
    told = faults([{"job_id": "a", "steps": 1}], known={"exp/a": Known("done", accepted=True, fingerprint="f" * 64)})
    assert told == [
        "row 0, column job_id: the job's record was made with other values, and exp/a is done. "
        "Try: another job_id for the changed job"
    ]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\uffff\ufffe"), max_size=20)
SCALAR = st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), TEXT)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
)
NAME = TEXT.filter(lambda name: name not in {"job_id", "name", "steps"})


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, of equal types all the way down."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(st.dictionaries(NAME, VALUE, max_size=5))
def test_dictionaries_survive_the_message(fields: dict[str, Any]) -> None:
    """What goes in as a dictionary comes out of the message at the worker, value by value and type by type."""
    (job,) = check([{"job_id": "a", **fields}], Rules("exp", MIB))
    received = parse(job.body)
    assert same(dict(received.fields), {"job_id": "exp/a", **fields})
    assert received.fingerprint == job.fingerprint


COLUMNS = st.sampled_from(
    [
        ("int64", st.integers(-(2**63), 2**63 - 1)),
        ("uint8", st.integers(0, 255)),
        ("Int64", st.integers(-(2**63), 2**63 - 1)),
        ("float64", st.floats(allow_nan=False, allow_infinity=False)),
        ("bool", st.booleans()),
        ("str", TEXT),
        ("category", TEXT),
        ("object", VALUE),
    ]
)


@given(st.data(), st.integers(1, 5))
def test_frames_survive_the_message(data: st.DataObject, rows: int) -> None:
    """Each column of a DataFrame keeps its values and their types, whatever stands beside it."""
    names = data.draw(st.lists(NAME, max_size=4, unique=True))
    columns: dict[str, list[Any]] = {}
    series = {"job_id": pd.Series([f"j{number}" for number in range(rows)])}
    for name in names:
        dtype, values = data.draw(COLUMNS)
        columns[name] = data.draw(st.lists(values, min_size=rows, max_size=rows))
        made = pd.Series([None] * rows, dtype=object)
        made[:] = columns[name]
        series[name] = pd.Series(columns[name], dtype=dtype) if dtype != "object" else made
    for number, job in enumerate(check(pd.DataFrame(series), Rules("exp", MIB))):
        expected = {"job_id": f"exp/j{number}", **{name: values[number] for name, values in columns.items()}}
        assert same(dict(parse(job.body).fields), expected)
