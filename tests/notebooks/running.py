"""Running a notebook as papermill runs it, and looking at what it left."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill

from lrtkit import Experiment, connect

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(
    name: str, parameters: Mapping[str, Any], *, into: Path, within_s: int = 240, twice: bool = False
) -> nbformat.NotebookNode:
    """Execute a notebook with parameters that it has, and return it; ``twice``: Run All, and again in that kernel."""
    source = NOTEBOOKS / name
    unknown = set(parameters) - set(papermill.inspect_notebook(str(source)))
    assert not unknown, "papermill would only warn of a misspelt parameter"
    if twice:
        source = into / f"twice-{name}"
        nbformat.write(_doubled(nbformat.read(NOTEBOOKS / name, as_version=4), parameters), source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jupyter_client's own, about its transport
        return papermill.execute_notebook(
            str(source),
            str(into / name),
            dict(parameters),
            cwd=str(NOTEBOOKS),
            progress_bar=False,
            execution_timeout=within_s,
        )


def _doubled(notebook: nbformat.NotebookNode, parameters: Mapping[str, Any]) -> nbformat.NotebookNode:
    """Return the notebook with all of its code a second time, with the same parameters."""
    again = []
    for cell in (each for each in notebook.cells if each.cell_type == "code"):
        given = "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
        again.append(
            nbformat.v4.new_code_cell(cell.source + (given if "parameters" in cell.metadata.get("tags", []) else ""))
        )
    notebook.cells += again
    return notebook


def complaints(executed: nbformat.NotebookNode) -> list[str]:
    """Return what was written to the error stream."""
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    return [each.text for each in outputs if each.output_type == "stream" and each.name == "stderr"]


def shown_secrets(executed: nbformat.NotebookNode, folder: Path) -> list[str]:
    """Return the secrets of the folder's env files that any output shows."""
    text = nbformat.writes(executed)
    lines = [line for path in folder.glob("*.env") for line in path.read_text().splitlines()]
    secrets = [line.split("=", 1)[1] for line in lines if "SECRET" in line or "api_key" in line]
    assert secrets
    return [secret for secret in secrets if secret in text]


def experiments(prefix: str, folder: Path) -> list[Experiment]:
    """Return the experiments whose names begin so, the oldest first, of the cloud in a folder."""
    cloud = connect(folder / "submitter.env")
    return [
        Experiment(name, cloud) for name in sorted({each.key.partition("/")[0] for each in cloud.store.listed(prefix)})
    ]
