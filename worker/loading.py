"""What LRT_WORKLOAD names, and whether it is there: a worker that could only fail every job takes none."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lrtkit.wire.errors import BadInput

COMMAND = "cmd:"
EXIT_UNLOADABLE = 78


class UnknownFunction(BadInput):
    """A workload's module has no function of the name that it was told."""


def is_command(workload: str) -> bool:
    """Tell whether a workload is a program of its own rather than a Python generator."""
    return workload.startswith(COMMAND)


def argv_of(workload: str) -> list[str]:
    """Return the program of a command and its arguments."""
    return shlex.split(workload.removeprefix(COMMAND))


def find(workload: str) -> tuple[Any, Callable[..., Any]]:
    """Return the module and the function that ``module:function`` names; raise UnknownFunction where it has none."""
    module_name, _, name = workload.partition(":")
    module = importlib.import_module(module_name)
    function = getattr(module, name, None)
    if not callable(function):
        raise UnknownFunction(f"module {module_name} has no function {name}")
    return module, function


def fault(workload: str, env: Mapping[str, str]) -> str | None:
    """Return why no job could be run here, if so, and what to do; ``env`` is the workload's environment.

    A module is tried in a process of its own, for it may take the memory and the GPU that its jobs need.
    """
    if lacking := _lacking(workload):
        return f"LRT_WORKLOAD names the {lacking}, which is not here. Try: copy it into the image, or mend the name"
    if not is_command(workload):
        argv = [sys.executable, "-m", "worker.loading", workload]
        tried = subprocess.run(argv, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if tried.returncode == EXIT_UNLOADABLE:
            why = tried.stderr.decode(errors="replace").rstrip().rpartition("\n")[2]
            return f"LRT_WORKLOAD is {workload!r}, which cannot be loaded here: {why}. Try: mend it, or the image"
    return None


def _lacking(workload: str) -> str | None:
    if is_command(workload):
        program = argv_of(workload)[0]
        return None if shutil.which(program) else f"program {program}"
    module = workload.partition(":")[0].partition(".")[0]
    return None if importlib.util.find_spec(module) else f"module {module}"


def _try(workload: str) -> int:
    """Load a workload; say on standard error in a line what an image lacks for it, and return an exit code.

    Whatever else its module raises may be a matter of the job or the machine, and is for the job to tell.
    """
    try:
        find(workload)
    except (ImportError, SyntaxError, UnknownFunction) as error:
        sys.stderr.write(f"\n{error}{_where(error)}\n")
        return EXIT_UNLOADABLE
    except Exception:  # noqa: BLE001  (as the docstring says)
        return 0
    return 0


def _where(error: Exception) -> str:
    at = traceback.extract_tb(error.__traceback__)[-1]
    is_known = at.filename != __file__ and Path(at.filename).is_file()
    return f" ({Path(at.filename).name}, line {at.lineno})" if is_known else ""


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  (as for the workload itself)
    os._exit(_try(sys.argv[1]))  # without waiting for what the module has started
