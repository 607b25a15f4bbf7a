"""The zip: the handler and the modules of the kit that it imports, and nothing else."""

from __future__ import annotations

import ast
import importlib.resources
import io
import zipfile
import zoneinfo
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

HANDLER = "lrtkit.autoscaler.handler"

_ROOT = Path(__file__).parents[2]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip can say; with a time of day the same code would be new each time


def bundle(time_zone: str = "UTC") -> bytes:
    """Return the zip; the same code gives the same bytes, so that Lambda's own hash tells whether it is new."""
    code = {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in _needed("lrtkit.autoscaler")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted({**code, **_zone(time_zone)}.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _zone(name: str) -> dict[str, bytes]:
    """Return the files in which Python looks for a time zone where the machine has no table of zones."""
    if name == "UTC":
        return {}
    place = PurePosixPath("tzdata/zoneinfo", name)
    return {str(place): _rules(name), **{f"{each}/__init__.py": b"" for each in place.parents if each.name}}


def _rules(zone: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        if (path := Path(folder, zone)).is_file():
            return path.read_bytes()
    return importlib.resources.files("tzdata").joinpath("zoneinfo", zone).read_bytes()


def _needed(module: str) -> set[Path]:
    """Return the files of a module of the kit and of all that it imports, the packages around them too."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path and path not in found:
            found.add(path)
            waiting += [] if path == _ROOT / "lrtkit" / "__init__.py" else _imported(path)
    return found


def _file(module: str) -> Path | None:
    """Return a module's file; None for a name that is not a module, such as a class of one."""
    path = _ROOT.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((each for each in candidates if each.is_file()), None)


def _imported(path: Path) -> list[str]:
    """Return the modules of the kit that a file may import, and the packages that are imported with them."""
    names = [name for node in ast.walk(ast.parse(path.read_bytes())) for name in _names(node)]
    mine = [name.split(".") for name in names if name.split(".")[0] == "lrtkit"]
    return [".".join(parts[:length]) for parts in mine for length in range(1, len(parts) + 1)]


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
