"""How an object shows itself in a notebook: a small table of facts, everything in it escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


def card(title: str, facts: Mapping[str, str]) -> str:
    """Return HTML: a title, and a row for each fact."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left">{escape(name)}</th>'
        f'<td style="text-align: left"><code>{escape(fact)}</code></td></tr>'
        for name, fact in facts.items()
    )
    return f"<table><caption><b>{escape(title)}</b></caption><tbody>{rows}</tbody></table>"
