"""A CSV, read piece by piece, in which every column has one type from the first row to the last.

It is read twice: once to settle the types, and to see what cannot be one, and once for its rows.
"""

from __future__ import annotations

import csv
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lrtkit.jobs.faults import BadTable, Fault, Faults
from lrtkit.wire.errors import BadInput

NAMES = ("job_id", "name")
"""The columns that name a job, the first that is there."""

PIECE = 10_000
"""Rows that are held at once."""

MOST_DIGITS = 18
"""Whole numbers of so many digits fit into 64 bits."""

_NUMBERS = frozenset({"Int64", "UInt64", "Float64"})

_CSV: dict[str, Any] = {
    "dtype_backend": "numpy_nullable",  # so that an empty cell does not turn a column of integers into floats
    "index_col": False,
    "low_memory": False,  # else the type of a column is guessed anew within a piece
    "encoding": "utf-8-sig",
}


class CsvFile:
    """A CSV as tables of ``piece`` rows; ``total`` is how many rows it has.

    Integers, numbers and truth values are what they look like, and names are text. Raises BadInput
    where it cannot be read, BadTable where a column has no one type.
    """

    def __init__(self, path: Path, *, piece: int = PIECE) -> None:
        if not path.is_file():
            raise BadInput(f"there is no CSV {path}. Try: the path from {Path.cwd()}, or a full one")
        self._path = path
        self._piece = piece
        self._version = _version(path)
        self._dtypes: dict[str, str] = dict.fromkeys(NAMES, "string")
        self.total = 0
        _check_header(path)
        self._settle()

    def pieces(self) -> Iterator[pd.DataFrame]:
        """Return the rows, once more from the file; raise BadInput where it is not what it was."""
        yield from self._read()
        self._refuse_change()

    def _settle(self) -> None:
        columns: dict[str, _Column] = defaultdict(_Column)
        for piece in self._read():
            self.total += len(piece)
            for name in piece.columns.difference(list(NAMES), sort=False):
                columns[name].add(piece[name])
        faults = Faults()
        for name, column in columns.items():
            column.tell(name, faults)
            if column.dtype:
                self._dtypes[name] = column.dtype
        faults.refuse()

    def _read(self) -> Iterator[pd.DataFrame]:
        with self._strictly():
            pieces = pd.read_csv(self._path, chunksize=self._piece, dtype=self._dtypes, **_CSV)
        with pieces:
            while True:
                with self._strictly():
                    piece = next(pieces, None)
                if piece is None:
                    return
                yield piece

    @contextmanager
    def _strictly(self) -> Iterator[None]:
        """Refuse what pandas only warns of, rows that are longer than the header, and say what is wrong."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                yield
        except (OSError, ValueError, pd.errors.ParserWarning) as error:
            self._refuse_change()
            reason = " ".join(str(error).split()).rstrip(".")
            raise BadInput(f"{self._path} cannot be read as a CSV: {reason}. Try: UTF-8, commas, one header") from error

    def _refuse_change(self) -> None:
        if not self._path.is_file() or _version(self._path) != self._version:
            raise BadInput(f"{self._path} was changed while it was read, and nothing was sent. Try: again")


class _Column:
    """What the pieces of a column have looked like."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._given = 0
        self._strange = Faults()
        self._long = Faults()

    def add(self, piece: pd.Series[Any]) -> None:
        given = piece.dropna()
        if given.empty:
            return
        self._kinds.add(str(piece.dtype))
        self._given += len(given)
        if str(piece.dtype) in _NUMBERS:
            return
        texts = given.astype("string")
        strange = texts[pd.to_numeric(texts, errors="coerce").isna()]
        _note(self._strange, strange, "is no number, as most of the column are")
        long = texts[texts.str.fullmatch(rf"[+-]?\d{{{MOST_DIGITS + 1},}}")]
        _note(self._long, long, "has more digits than a whole number of a CSV can have")

    @property
    def dtype(self) -> str | None:
        """The type of the column, where a piece of it alone could look like one of another type."""
        if len(self._kinds) < 2 or self._kinds == {"Int64", "UInt64"}:
            return None
        return "float64" if self._kinds <= _NUMBERS else "string"

    def tell(self, name: str, faults: Faults) -> None:
        """Tell text in a column of numbers: one slip of the pen would turn all of them into text.

        Where all of them are numbers, and yet pandas has no type for them, some are too long.
        """
        if self._kinds <= _NUMBERS or self._strange.count > self._given / 2:
            return
        found = self._strange if self._strange.count else self._long
        faults.add((replace(fault, column=name) for fault in found.first), found.count)


def _note(faults: Faults, cells: pd.Series[Any], problem: str) -> None:
    told = f"{problem}. Try: mend it, or submit a DataFrame"
    faults.add((Fault(told, row=row, value=value) for row, value in cells.items()), count=len(cells))


def _version(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _check_header(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        header = next(csv.reader(file), [])
    if not header:
        raise BadTable(Faults.of(Fault("the table is empty. Try: a header and a row a job")))
    nameless = [place for place, name in enumerate(header) if not name.strip()]
    if nameless:
        problem = f"column {nameless[0]} has no name. Try: name it, or write the CSV by to_csv(index=False)"
        raise BadTable(Faults.of(Fault(problem)))
    refuse_twins(header)


def refuse_twins(names: list[Any]) -> None:
    """Raise BadTable where a column is there more than once."""
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise BadTable(
            Faults.of(*(Fault("is there more than once. Try: rename or drop one", column=str(name)) for name in twins))
        )
