"""The notebooks as they lie in the repository: clean, with one cell of parameters, calling and not defining."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 6
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def is_tagged(cell: nbformat.NotebookNode) -> bool:
    return "parameters" in cell.metadata.get("tags", [])


def python_of(cell: nbformat.NotebookNode) -> ast.Module:
    """The cell as Python, without the lines that only IPython understands."""
    lines = (line for line in cell.source.splitlines() if not line.startswith(("%", "!")))
    return ast.parse("\n".join(lines))


def test_the_quickstart_is_there() -> None:
    """The notebook that `make demo` runs is among those that are checked."""
    assert "00_quickstart.ipynb" in [path.name for path in NOTEBOOKS]


@each_notebook
def test_is_valid_and_runs_on_the_installed_python(path: Path) -> None:
    """A notebook has the form's schema, and asks for the kernel that every installation has."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@each_notebook
def test_has_no_outputs(path: Path) -> None:
    """A notebook lies here as written, not as run."""
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@each_notebook
def test_has_one_cell_of_parameters(path: Path) -> None:
    """Exactly one cell is tagged, because papermill goes on without a word where none is."""
    assert [is_tagged(cell) for cell in code_cells(path)].count(True) == 1


@each_notebook
def test_parameters_are_literals_with_a_comment(path: Path) -> None:
    """Each parameter is one line, a literal and what it means."""
    (cell,) = filter(is_tagged, code_cells(path))
    lines = cell.source.splitlines()
    for statement in python_of(cell).body:
        assert isinstance(statement, ast.Assign | ast.AnnAssign), ast.unparse(statement)
        assert statement.value is not None, ast.unparse(statement)
        ast.literal_eval(statement.value)
        assert "  # " in lines[(statement.end_lineno or 0) - 1], f"no comment: {ast.unparse(statement)}"


def test_the_demo_sets_parameters_that_exist() -> None:
    """papermill only warns at an unknown parameter and goes on with the defaults, so the Makefile's are checked."""
    (cell,) = filter(is_tagged, code_cells(ROOT / "notebooks" / "00_quickstart.ipynb"))
    names = {node.id for node in ast.walk(python_of(cell)) if isinstance(node, ast.Name)}
    assert set(re.findall(r" -p (\w+) ", (ROOT / "Makefile").read_text())) <= names


@each_notebook
def test_cells_are_short(path: Path) -> None:
    """A cell is read at a glance; what is longer belongs into the library."""
    for cell in code_cells(path):
        assert is_tagged(cell) or len(cell.source.splitlines()) <= LONGEST_CELL, cell.source


@each_notebook
def test_the_kit_is_imported_first(path: Path) -> None:
    """The first cell imports nothing that can be missing but the kit, which tells in a sentence what it lacks."""
    first = python_of(code_cells(path)[0])
    names = [alias.name for node in ast.walk(first) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(first) if isinstance(node, ast.ImportFrom)]
    assert "lrtkit" in names
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"IPython", "lrtkit"}


@each_notebook
def test_defines_nothing(path: Path) -> None:
    """Notebooks call, they do not define."""
    for cell in code_cells(path):
        found = [node for node in ast.walk(python_of(cell)) if isinstance(node, DEFINITIONS)]
        assert not found, ast.unparse(found[0])
