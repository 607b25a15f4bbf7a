"""Errors as those tell them that show the variables of every function on their way: IPython, pytest, a debugger."""

from __future__ import annotations

from collections.abc import Callable
from traceback import TracebackException

import pytest

from lrtkit.wire.errors import LrtError


def told_with_variables(call: Callable[[], object], kind: type[LrtError] = LrtError) -> str:
    """Make a call that fails, and return the whole traceback, with those of the errors that it stems from."""
    with pytest.raises(kind) as caught:
        call()
    return "".join(TracebackException.from_exception(caught.value, capture_locals=True).format())
