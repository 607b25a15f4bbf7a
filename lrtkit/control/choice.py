"""From ids, in whatever a notebook or a shell has them, to the jobs that they mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import pandas as pd

from lrtkit.progress import View
from lrtkit.wire.errors import BadInput

Ids: TypeAlias = "str | pd.DataFrame | pd.Series[str] | Iterable[str]"
"""One id, several, or a frame or column of the kit, of which the index says which jobs are meant."""

_SHOWN = 5


def choose(ids: Ids, views: Iterable[View], experiment: str) -> list[View]:
    """Return the jobs of these ids, each once; raise BadInput that names all that are not there.

    The experiment's name may be left out of an id.
    """
    known = {view.job_id: view for view in views}
    prefix = f"{experiment}/"
    wanted = [each if each.startswith(prefix) else f"{prefix}{each}" for each in dict.fromkeys(_listed(ids))]
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise BadInput(f"experiment {experiment} has no job {shown(unknown)}; nothing was done. Try: ids of status()")
    return [known[each] for each in dict.fromkeys(wanted)]


def shown(ids: Sequence[str]) -> str:
    """Return how a message names jobs, however many they are."""
    more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more


def _listed(ids: Ids) -> list[str]:
    if isinstance(ids, str):
        return [ids]
    if isinstance(ids, pd.DataFrame) or (isinstance(ids, pd.Series) and ids.index.name == "job_id"):
        ids = ids.index
    found = list(ids) if isinstance(ids, Iterable) else [ids]
    if strange := [each for each in found if not isinstance(each, str)]:
        raise BadInput(f"{strange[0]!r} is no job_id; nothing was done. Try: ids of status()")
    return found
