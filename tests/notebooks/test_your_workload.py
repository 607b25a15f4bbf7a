"""The notebook that brings workloads of one's own, run twice in one kernel, and a job that it tells about."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest

from tests.notebooks.running import complaints, experiments, run, shown_secrets


@pytest.fixture(scope="module")
def executed(folder: Path) -> nbformat.NotebookNode:
    given = {"cloud_folder": str(folder / ".lrt"), "out_folder": str(folder), "ranks": [1, 4], "steps": 3000}
    return run("07_your_workload.ipynb", given, into=folder, twice=True)


def test_the_trainings_outlived_their_machines(executed: nbformat.NotebookNode, folder: Path) -> None:
    """A higher rank learns more, each adapter is the file that its job left, and a machine was lost on the way."""
    first, second = experiments("finetune-", folder / ".lrt")
    results = second.results()
    loss = results.groupby("rank")["loss"].min()
    assert loss[4] < loss[1] / 2
    for job in results.index:
        with np.load(folder / "adapters" / job.removeprefix(f"{second.name}/") / "adapter.npz") as adapter:
            assert adapter["up"].shape == (64, results.loc[job, "rank"])
    assert all(each.status()["interruptions"].sum() > 0 for each in (first, second))


def test_the_program_that_is_no_python_kept_its_energy(executed: nbformat.NotebookNode, folder: Path) -> None:
    """At the end each spring has the energy that it was stretched by, and its file."""
    springs, _ = experiments("springs-", folder / ".lrt")
    assert (springs.results()["energy"] / (springs.results()["stiffness"] / 2) - 1).abs().max() < 0.01
    assert springs.artifacts(springs.status())["name"].tolist() == ["energy.csv"] * 3


def test_nothing_warns_and_no_key_shows(executed: nbformat.NotebookNode, folder: Path) -> None:
    """The error stream is empty, and the outputs have no secret of the env files."""
    assert complaints(executed) == []
    assert shown_secrets(executed, folder / ".lrt") == []
