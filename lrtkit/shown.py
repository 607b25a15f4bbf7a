"""How objects show themselves in a notebook: small pieces of HTML, everything in them escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape


def text(words: object) -> str:
    """Return words as HTML says them; notebooks would take what stands between two dollar signs for a formula."""
    return escape(str(words)).replace("$", "<span>$</span>")


class Sentence(str):
    """Words that a cell can end with: a notebook shows them as prose, and a terminal without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<p>{text(self)}</p>"


def card(title: str, facts: Mapping[str, str]) -> str:
    """Return HTML: a title, and a row for each fact."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left">{text(name)}</th>'
        f'<td style="text-align: left"><code>{text(fact)}</code></td></tr>'
        for name, fact in facts.items()
    )
    return f"<table><caption><b>{text(title)}</b></caption><tbody>{rows}</tbody></table>"


def verdict(title: str, reasons: Iterable[str], seen: str = "") -> str:
    """Return HTML: what was decided or done, why, point by point, and in small print what was seen."""
    points = "".join(f"<li>{text(reason)}</li>" for reason in reasons)
    told = f"<p><b>{text(title)}</b></p>" + (f"<ul>{points}</ul>" if points else "")
    return told + (f"<p><small>{text(seen)}</small></p>" if seen else "")
