"""Running a notebook as papermill runs it, and looking at what it left."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(name: str, parameters: Mapping[str, Any], *, into: Path, within_s: int = 240) -> nbformat.NotebookNode:
    """Execute a notebook with parameters that it has, and return it."""
    source = NOTEBOOKS / name
    unknown = set(parameters) - set(papermill.inspect_notebook(str(source)))
    assert not unknown, "papermill would only warn of a misspelt parameter"
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
