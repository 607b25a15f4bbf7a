"""Running a notebook as papermill does, and what must hold of whatever it leaves."""

from __future__ import annotations

import warnings
from pathlib import Path

import nbformat
import papermill

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(name: str, folder: Path, **parameters: object) -> nbformat.NotebookNode:
    """Execute a notebook with other parameters, and return it as it was left in the folder."""
    path = NOTEBOOKS / f"{name}.ipynb"
    unknown = set(parameters) - set(papermill.inspect_notebook(str(path)))
    assert not unknown, "papermill would only warn of a misspelt parameter"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jupyter_client's own, about its transport
        return papermill.execute_notebook(
            str(path),
            str(folder / f"{name}.ipynb"),
            parameters,
            cwd=str(NOTEBOOKS),
            progress_bar=False,
            execution_timeout=420,
        )


def assert_clean(executed: nbformat.NotebookNode, env_files: Path) -> None:
    """Nothing is on the error stream, and no secret of the env files is in any output."""
    streams = [out for cell in executed.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
    assert [out.text for out in streams if out.name == "stderr"] == []
    text = nbformat.writes(executed)
    for path in env_files.glob("*.env"):
        lines = path.read_text().splitlines()
        secrets = [line.split("=", 1)[1] for line in lines if "SECRET" in line or "api_key" in line]
        assert secrets
        assert not [secret for secret in secrets if secret in text]


def data(executed: nbformat.NotebookNode, source: str) -> dict[str, str]:
    """Return the first output, in all its forms, of the cell whose source holds these words."""
    cell = next(cell for cell in executed.cells if cell.cell_type == "code" and source in cell.source)
    return next(out.data for out in cell.outputs if out.output_type in {"display_data", "execute_result"})
