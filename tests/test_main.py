"""The shell command: what it writes, where, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lrtkit import printing
from lrtkit.__main__ import main
from lrtkit.connection import Cloud
from lrtkit.printing import Form
from lrtkit.wire import keys
from lrtkit.wire.clock import iso
from lrtkit.wire.job import Job
from lrtkit.wire.record import Failure, Holder, Record, State
from lrtkit.wire.settings import read_env_file, write_env_file

NOW = "2026-11-24T10:00:00.000Z"


class Terminal(io.StringIO):
    """A terminal that shows nothing."""

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True


@dataclass
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, str]]:
        """Its output, a CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))


def run(*words: str, out: io.StringIO | None = None) -> Said:
    """Run a command."""
    out, err = out or io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    return Said(code, out.getvalue(), err.getvalue())


@dataclass
class Shell:
    """Runs the command on a cloud."""

    cloud: Cloud
    env_file: Path
    folder: Path

    def __call__(self, command: str, *words: str, out: io.StringIO | None = None) -> Said:
        """Run a command on the experiment ``exp``."""
        return run(command, *words, "--experiment", "exp", "--env-file", str(self.env_file), out=out)

    def table(self, text: str = "name,steps\na,10\nb,20\n") -> str:
        """Write a CSV, and return its path."""
        (self.folder / "jobs.csv").write_text(text)
        return str(self.folder / "jobs.csv")

    def put(self, name: str, change: Callable[[Record], Record], steps: int = 10) -> None:
        """Leave the record of a worker that had a job."""
        print_ = Job({"steps": steps}).fingerprint
        record = Record(State.WAITING).claimed(Holder("w", "m"), fingerprint=print_, steps=steps, now=NOW)
        self.cloud.store.put(keys.record(f"exp/{name}"), change(record).to_bytes())


def done(record: Record) -> Record:
    return record.done({"sum": 55, "parts": [1, 2]}, {}, now=NOW)


def failed(record: Record) -> Record:
    return record.failed(Failure("ValueError", "too small", "Traceback …"), final=True, now=NOW)


@pytest.fixture
def shell(cloud: Cloud, env_file: Path, tmp_path: Path) -> Shell:
    return Shell(cloud, env_file, tmp_path)


def test_submit_and_status(shell: Shell) -> None:
    """A table goes in, and where its jobs stand comes out as CSV, as nobody looks at a terminal."""
    table = shell.table()
    assert [row["action"] for row in shell("diff", table).rows] == ["send", "send"]
    sent = shell("submit", table)
    assert (sent.code, sent.rows[0]) == (0, {"job_id": "exp/a", "outcome": "sent", "state": "queued"})
    assert [row["outcome"] for row in shell("submit", table).rows] == ["known", "known"]
    status = shell("status")
    assert (status.code, [row["state"] for row in status.rows]) == (0, ["queued", "queued"])
    assert status.rows[0]["time_left_s"] == ""
    assert float(status.rows[0]["age_s"]) >= 0


def test_a_table_on_a_terminal(shell: Shell) -> None:
    """Columns for the eye, on a terminal or where asked for."""
    shell("submit", shell.table())
    for said in (shell("status", out=Terminal()), shell("status", "--table")):
        assert said.out.split()[:3] == ["job_id", "state", "step"]
        assert "," not in said.out


def test_results_in_csv_and_json(shell: Shell) -> None:
    """Numbers stay numbers, gaps are gaps, and lists are JSON."""
    shell("submit", shell.table())
    shell.put("a", done)
    first, second = shell("results", "--csv").rows
    assert (first["sum"], first["parts"], second["sum"]) == ("55", "[1, 2]", "")
    first, second = json.loads(shell("results", "--json").out)
    assert first == {"job_id": "exp/a", "steps": 10, "sum": 55, "parts": [1, 2]}
    assert second == {"job_id": "exp/b", "steps": 20, "sum": None, "parts": None}


def test_check_and_wait_say_whether_all_is_done(shell: Shell) -> None:
    """Scripts go on with 0 when every job is done, and with 1 when one has failed or not ended."""
    shell("submit", shell.table())
    shell.put("a", done)
    assert (shell("status").code, shell("status", "--check").code) == (0, 1)
    late = shell("wait", "--timeout", "0")
    assert (late.code, late.out) == (1, "")
    assert late.err.splitlines()[-1].startswith("after 0 s these jobs have not ended: 1 queued. Try: wait longer")
    shell.put("b", failed, steps=20)
    assert shell("wait").code == 1
    shell.put("b", done, steps=20)
    assert (shell("wait").code, shell("status", "--check").code) == (0, 0)


def test_cancel_retry_and_why(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are named by words, or on standard input."""
    shell("submit", shell.table())
    assert shell("cancel", "exp/a").rows[0]["outcome"] == "cancelled"
    monkeypatch.setattr("sys.stdin", io.StringIO("exp/a\n"))
    assert shell("retry", "-").rows[0]["outcome"] == "sent again"
    shell.put("a", failed)
    told = shell("why", "a")
    assert told.out.splitlines()[0] == "exp/a is failed."
    assert told.out.endswith("\n\nTraceback …\n")
    facts = json.loads(shell("why", "a", "--json").out)
    assert (facts["job_id"], facts["attempts"][0]["outcome"]) == ("exp/a", "failed")
    assert shell("why", "a", "--csv").rows[0]["cause"] == "failure"


def test_depth(shell: Shell) -> None:
    """One reading, or with those that were kept; the age of the oldest in seconds."""
    shell("submit", shell.table())
    (row,) = shell("depth").rows
    assert list(row) == ["at", "waiting", "in_flight", "delayed", "dead", "oldest_s"]
    assert (row["waiting"], row["oldest_s"]) == ("2", "")
    kept = keys.depths(shell.cloud.queue.name, NOW)
    shell.cloud.store.put(kept, json.dumps({"at": iso(time.time() - 1800), "waiting": 7}).encode())
    assert [row["waiting"] for row in shell("depth", "--past", "1").rows] == ["7", "2"]
    assert [row["waiting"] for row in shell("depth").rows] == ["2"]


def test_purge_wants_the_name_once_more(shell: Shell) -> None:
    """Without it nothing goes and the command fails; with it the frame is the output and the sentence is said aside."""
    shell("submit", shell.table())
    asked = shell("purge")
    assert (asked.code, asked.out) == (2, "")
    assert asked.err.endswith("Nothing was done. Try: purge(confirm='exp'), or from a shell --confirm exp\n")
    assert shell("purge", "--confirm", "other").code == 2
    purged = shell("purge", "--confirm", "exp")
    assert (purged.code, purged.rows[0]["kind"], purged.rows[0]["objects"]) == (0, "submissions", "2")
    assert purged.err.startswith("exp is purged: 2 objects")
    assert shell("status").rows == []


def test_dead_letters_and_artifacts(shell: Shell) -> None:
    """Nothing set aside and no files are tables without rows."""
    shell("submit", shell.table())
    assert shell("dead-letters").out == "job_id,reason,error_type,failed_at,state,body\n"
    assert shell("artifacts", "a").out == "name,size,sha256\n"
    assert shell("dead-letters", "--table").out.startswith("no rows; columns: reason")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("submit", "nowhere.csv"), "there is no CSV nowhere.csv"),
        (("cancel", "x"), "experiment exp has no job exp/x; nothing was done. Try: ids of status()\n"),
        (("why", "x"), "experiment exp has no job exp/x"),
        (("wait",), "experiment exp has no jobs in bucket"),
    ],
)
def test_bad_input_ends_with_2(shell: Shell, words: tuple[str, ...], told: str) -> None:
    """What is wrong stands on standard error, and nothing on standard output."""
    said = shell(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(told)


def test_a_service_that_is_not_there_ends_with_3(bare_cloud: Cloud, env_file: Path, tmp_path: Path) -> None:
    """A missing queue is not the fault of the table."""
    said = Shell(bare_cloud, env_file, tmp_path)("status")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("there is no queue ")


def test_values_of_every_kind() -> None:
    """Times, truth values and seconds have one spelling in JSON and in CSV."""
    index = pd.Index(["a", "b"], name="job_id")
    columns: dict[str, pd.Series[Any]] = {
        "at": pd.to_datetime(pd.Series(["2026-11-24T10:00:00Z", None]), utc=True),
        "left": pd.Series(pd.to_timedelta([90, None], unit="s")),
        "on": pd.Series([True, None], dtype="boolean"),
        "n": pd.Series([2**60 + 1, None], dtype="Int64"),
    }
    frame = pd.DataFrame({name: column.set_axis(index) for name, column in columns.items()})
    assert json.loads("".join(printing.frame(frame, Form.JSON))) == [
        {"job_id": "a", "at": "2026-11-24T10:00:00+00:00", "left_s": 90.0, "on": True, "n": 2**60 + 1},
        {"job_id": "b", "at": None, "left_s": None, "on": None, "n": None},
    ]
    assert [line.rstrip("\n") for line in printing.frame(frame, Form.CSV)][1:] == [
        "a,2026-11-24T10:00:00+00:00,90.0,true,1152921504606846977",
        "b,,,,",
    ]


def test_the_module_is_a_command(shell: Shell, env_file: Path) -> None:
    """``python -m lrtkit`` ends as its function does, also when whoever reads its output leaves early."""
    shell("submit", shell.table("name,steps\n" + "".join(f"{number:05},10\n" for number in range(3000))))
    command = [sys.executable, "-m", "lrtkit", "status", "--experiment", "exp", "--env-file", str(env_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(6) == b"job_id"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0
    wrong = subprocess.run([sys.executable, "-m", "lrtkit", "status"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.splitlines()[-1].endswith("the following arguments are required: --experiment")


def test_json_is_that_of_one_text() -> None:
    """However many pieces it is written in, JSON is what it would be if it was written at once, without rows too."""
    frame = pd.DataFrame({"n": [1, 2], "list": [[1], {"a": 2}]}, index=pd.Index(["a", "b"], name="job_id"))
    rows = [{"job_id": "a", "n": 1, "list": [1]}, {"job_id": "b", "n": 2, "list": {"a": 2}}]
    assert "".join(printing.frame(frame, Form.JSON)) == json.dumps(rows, indent=1) + "\n"
    assert "".join(printing.frame(frame[:0], Form.JSON)) == "[]\n"


def test_doctor_tells_in_a_table_and_fails_where_something_is_wrong(shell: Shell, tmp_path: Path) -> None:
    """The doctor's table goes where every table goes; it ends with 0 where all is well, and with 1 where not."""
    well = run("doctor", str(shell.env_file), "--role", "worker")
    assert (well.code, well.err) == (0, "")
    assert {"check", "of", "verdict", "remedy"} == set(well.rows[0])
    lost = tmp_path / "worker.env"
    write_env_file(lost, {**read_env_file(shell.env_file), "R2_BUCKET_NAME": "nowhere"})
    assert run("doctor", str(lost), "--role", "worker").code == 1
    assert "Try: role=" in run("doctor", str(shell.env_file.rename(tmp_path / "mine.env"))).err
