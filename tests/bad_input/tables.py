"""Tables of jobs: CSVs, DataFrames and dictionaries as ``Experiment.submit`` gets them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.bad_input.table import Section

HOLLOW: list[Any] = []
HOLLOW.append(HOLLOW)

CSVS = Section(
    "CSV files",
    '`exp.submit("jobs.csv")` and `python -m lrtkit submit jobs.csv`: raised, before anything is sent.',
    {
        "no file": None,
        "an empty file": b"",
        "a header alone": b"name,steps\n",
        "a blank header": b",\n1,2\n",
        "an index that nobody named": b",steps\n0,5\n",
        "two columns of one name": b"steps,steps\n1,2\n",
        "a row that is longer than the header": b"name,steps\na,1,2\n",
        "a row that is too short": b"name,steps,lr\na,1,0.1\nb,2\n",
        "semicolons": b"name;steps\na;1\n",
        "a quotation mark that is never closed": b'name,steps\n"a,1\n',
        "Latin-1": "name,steps\nä,1\n".encode("latin-1"),
        "UTF-16": "name,steps\na,1\n".encode("utf-16"),
        "a workbook of Excel": b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00",
        "one word in a column of numbers": b"name,steps,lr\na,1,0.1\nb,1,0.2\nc,1,o.3\n",
        "a whole number of twenty digits": b"name,steps,seed\na,1,12345678901234567890123\n",
        "a number with a fraction as steps": b"name,steps\na,1.5\n",
        "a cell without a value": b"name,steps,lr\na,1,\nb,2,0.1\n",
        "two rows of one name": b"name,steps\na,1\na,2\n",
    },
)

FRAMES = Section(
    "DataFrames and dictionaries",
    "`exp.submit(df)` and `exp.submit([{…}])`: raised, before anything is sent; `.faults` has a row for each fault.",
    {
        "no row": pd.DataFrame({"steps": []}),
        "an empty list": [],
        "a list of numbers": [1, 2],
        "a column": pd.Series([1, 2], name="steps"),
        "a dictionary of columns": {"steps": [1, 2]},
        "no column steps": pd.DataFrame({"name": ["a"], "step": [1]}),
        "NaN": pd.DataFrame({"name": ["a"], "steps": [1], "lr": [np.nan]}),
        "an infinity": pd.DataFrame({"name": ["a"], "steps": [1], "lr": [np.inf]}),
        "no time": pd.DataFrame({"name": ["a"], "steps": [1], "at": [pd.NaT]}),
        "NaN deep inside": [{"name": "a", "steps": 1, "grid": {"lr": [0.1, np.nan]}}],
        "a complex number": pd.DataFrame({"name": ["a"], "steps": [1], "z": [1j]}),
        "bytes": [{"name": "a", "steps": 1, "raw": b"abc"}],
        "a set": [{"name": "a", "steps": 1, "tags": {"x"}}],
        "a function": [{"name": "a", "steps": 1, "loss": len}],
        "a number as a key": [{"name": "a", "steps": 1, "grid": {1: 2}}],
        "a list in itself": [{"name": "a", "steps": 1, "list": HOLLOW}],
        "a lone surrogate": [{"name": "a", "steps": 1, "text": "a\ud800"}],
        "a duration": pd.DataFrame({"name": ["a"], "steps": [1], "dt": [pd.Timedelta("1h")]}),
        "a number as the name of a column": pd.DataFrame([[1, 2]], columns=["steps", 2]),
        "levels of columns": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["a"], ["x", "y"]])),
        "an index that is a column too": pd.DataFrame({"name": ["a"]}, index=pd.Index(["b"], name="name")),
        "two columns of one name": pd.DataFrame([[1, 2]], columns=["steps", "steps"]),
        "no steps at all": [{"name": "a", "steps": 0}],
        "steps as text": [{"name": "a", "steps": "10"}],
        "more steps than 64 bits count": [{"name": "a", "steps": 10**30}],
        "a time-out as text": [{"name": "a", "steps": 1, "timeout_seconds": "1h"}],
        "two rows with the same values": pd.DataFrame({"steps": [1, 1]}),
        "more bytes than a job may have": [{"name": "a", "steps": 1, "text": "x" * 70_000_000}],
        "nothing": None,
        "a number": 5,
    },
)

IDS = Section(
    "Ids and names",
    "A table's column `job_id`, and the name of an experiment: raised, before anything is sent.",
    {
        "a way out of the folder": "../b",
        "an empty part": "a//b",
        "a slash at the end": "a/",
        "128 characters with those of the experiment, and one more": "a" * 125,
        "a space": "a b",
        "an umlaut": "möhre",
        "a line break": "a\nb",
        "a fraction": 1.5,
        "true": True,
        "nothing": "",
        "a missing value": None,
        "a list": ["a"],
        "a name that the bucket needs": "files",
    },
)

EXPERIMENTS = Section(
    "Names of experiments",
    "`lrtkit.Experiment(name, cloud)`: raised.",
    {
        "nothing": "",
        "a slash": "a/b",
        "a name that the bucket needs": "_submissions",
        "a number": 7,
    },
)

CHOICES = Section(
    "Ids to cancel, retry or explain",
    "`exp.cancel(ids)`, `exp.retry(ids)`, `exp.why(job_id)`: raised, before anything is done.",
    {
        "a job that nobody submitted": "nobody",
        "seven of them": [f"no-{number}" for number in range(7)],
        "a number": 5,
        "a list with a number in it": [7],
    },
)

SECTIONS = (CSVS, FRAMES, IDS, EXPERIMENTS, CHOICES)
