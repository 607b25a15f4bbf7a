"""The notebook that brings workloads of one's own, run as papermill runs it, and a job that it tells about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest

from lrtkit import Experiment, connect, local
from tests.notebooks.running import complaints, run, shown_secrets


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("yours")
    yield folder
    local.down(folder / ".lrt")


@pytest.fixture(scope="module")
def executed(folder: Path) -> nbformat.NotebookNode:
    given = {"cloud_folder": str(folder / ".lrt"), "out_folder": str(folder), "ranks": [1, 4]}
    return run("07_your_workload.ipynb", given, into=folder)


def experiment(name: str, folder: Path) -> Experiment:
    return Experiment(name, connect(folder / ".lrt" / "submitter.env"))


def test_the_trainings_outlived_their_machines(executed: nbformat.NotebookNode, folder: Path) -> None:
    """A higher rank learns more, each adapter is the file that its job left, and a machine was lost on the way."""
    results = experiment("finetune", folder).results()
    loss = results.groupby("rank")["loss"].min()
    assert loss[4] < loss[1] / 2
    for job in results.index:
        with np.load(folder / "adapters" / job.removeprefix("finetune/") / "adapter.npz") as adapter:
            assert adapter["up"].shape == (64, results.loc[job, "rank"])
    assert experiment("finetune", folder).status()["interruptions"].sum() > 0


def test_the_program_that_is_no_python_kept_its_energy(executed: nbformat.NotebookNode, folder: Path) -> None:
    """At the end each spring has the energy that it was stretched by, and its file."""
    springs = experiment("springs", folder)
    assert (springs.results()["energy"] / (springs.results()["stiffness"] / 2) - 1).abs().max() < 0.01
    assert springs.artifacts(springs.status())["name"].tolist() == ["energy.csv"] * 3


def test_nothing_warns_and_no_key_shows(executed: nbformat.NotebookNode, folder: Path) -> None:
    """The error stream is empty, and the outputs have no secret of the env files."""
    assert complaints(executed) == []
    assert shown_secrets(executed, folder / ".lrt") == []
