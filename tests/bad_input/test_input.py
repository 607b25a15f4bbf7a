"""Every bad input that a researcher or an environment can give, and each word that is said about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrtkit import Experiment, connect
from lrtkit.connection import Cloud
from lrtkit.wire import keys
from lrtkit.wire.settings import CloudSettings, WorkerSettings
from tests.bad_input import environment, messages, tables
from tests.bad_input.page import compare, sentence


def said(call: Callable[..., Any], *args: Any) -> str:
    """Make a call that must not succeed, and return what a user reads of it."""
    try:
        found = call(*args)
    except Exception as error:  # noqa: BLE001  (what it is, the page says)
        return sentence(error)
    pytest.fail(f"{args!r} was taken, and {found!r} made of it")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, so that its files have short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_csvs(cloud: Cloud, here: Path) -> None:
    """A CSV that is none, or of which a cell is wrong, is refused with its place."""
    exp, path, told = Experiment("exp", cloud), Path("jobs.csv"), []
    for content in tables.CSVS.inputs.values():
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        told.append(said(exp.submit, "jobs.csv").replace(str(here), "/home/you"))
    compare(tables.CSVS, told)
    assert exp.status().empty


@pytest.mark.parametrize("section", [tables.FRAMES, tables.IDS])
def test_frames(cloud: Cloud, section: Any) -> None:
    """A row that no message can carry, and an id that has no place in the bucket, are refused with their place."""
    exp = Experiment("exp", cloud)
    rows = section.inputs.values()
    as_id = section is tables.IDS
    compare(section, [said(exp.submit, [{"job_id": each, "steps": 1}] if as_id else each) for each in rows])
    assert exp.status().empty


def test_experiments(cloud: Cloud) -> None:
    """A name that an experiment cannot have is refused when it is given."""
    compare(tables.EXPERIMENTS, [said(Experiment, name, cloud) for name in tables.EXPERIMENTS.inputs.values()])


def test_choices(cloud: Cloud) -> None:
    """What is no job of the experiment is neither cancelled nor retried."""
    exp = Experiment("exp", cloud)
    compare(tables.CHOICES, [said(exp.cancel, ids) for ids in tables.CHOICES.inputs.values()])
    assert said(exp.retry, "nobody") == said(exp.cancel, "nobody")


def test_lists(cloud: Cloud) -> None:
    """A list that is not what was written is told with its line, and deleting it is a way out that loses no job."""
    exp, told = Experiment("exp", cloud), []
    exp.submit([{"name": "a", "steps": 1}])
    key = keys.submission("exp", "2026-11-24T10:00:00.000Z")
    for body in messages.LISTS.inputs.values():
        cloud.store.put(key, body)
        told.append(said(exp.status))
    compare(messages.LISTS, told)
    cloud.store.delete([key])
    assert exp.submit([{"name": "a", "steps": 1}])["outcome"].tolist() == ["known"]


def write(content: Any, path: Path) -> None:
    """Write an env file, as its owner or, where the content says so, for others to read too."""
    content, mode = content if isinstance(content, tuple) else (content, 0o600)
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)


def test_env_files(here: Path) -> None:
    """An env file that cannot be meant is refused by its line, and no key of it is shown."""
    told = []
    for content in environment.FILES.inputs.values():
        write(content, Path("submitter.env"))
        told.append(said(connect, "submitter.env"))
    compare(environment.FILES, told)
    assert not [line for line in told if "nobody-may-see" in line]


@pytest.mark.parametrize("content", environment.FINE.values(), ids=environment.FINE)
def test_env_files_that_are_fine(here: Path, content: bytes) -> None:
    """What editors and shells add to an env file does no harm."""
    write(content, Path("submitter.env"))
    assert connect("submitter.env").settings == CloudSettings.from_env(environment.GOOD)


@pytest.mark.parametrize(
    ("section", "settings"), [(environment.VALUES, CloudSettings), (environment.SETTINGS, WorkerSettings)]
)
def test_values(section: Any, settings: Any) -> None:
    """A value that cannot be meant is told with what it must be, all such values at once."""
    told = [said(settings.from_env, {**environment.GOOD, **changes}) for changes in section.inputs.values()]
    compare(section, told)
    assert not [line for line in told if "nobody-may-see" in line]
