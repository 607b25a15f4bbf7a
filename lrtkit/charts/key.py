"""A key in lines of its own between title and chart, where labels beside the marks would not fit."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend

from lrtkit.charts.style import SMALL_PT, beside, size_pt

LINE_PT = 15.0
GLYPH_PT = 4.9  # the mean width of a letter at SMALL_PT, rounded up
HANDLE_PT = 26.0  # the mark and the space around it


def add_key(ax: Axes, *groups: Sequence[Artist]) -> None:
    """Write the key, each group on lines of its own, and lift the title above it."""
    lines = [line for group in groups for line in flowed(group, size_pt(ax)[0])]
    for number, members in enumerate(reversed(lines)):
        legend = Legend(
            ax,
            members,
            [str(member.get_label()) for member in members],
            loc="lower left",
            bbox_to_anchor=(0, 1),
            bbox_transform=beside(ax, up_pt=number * LINE_PT, of=ax.transAxes),
            ncols=len(members),
            frameon=False,
            fontsize=SMALL_PT,
            handlelength=1.6,
            handletextpad=0.4,
            columnspacing=1.2,
            borderpad=0.2,
            borderaxespad=0,
        )
        legend.set_in_layout(False)  # a key that ends beyond the Axes must not narrow them
        ax.add_artist(legend)
    ax.set_title(ax.get_title(loc="left"), loc="left", y=1, pad=len(lines) * LINE_PT + 6)


def flowed(handles: Sequence[Artist], width: float) -> list[list[Artist]]:
    """Return the handles in lines that are at most ``width`` points wide, as far as one entry allows."""
    lines: list[list[Artist]] = []
    left = 0.0
    for handle in handles:
        needs = HANDLE_PT + GLYPH_PT * len(str(handle.get_label()))
        if needs > left:
            lines.append([])
            left = width
        lines[-1].append(handle)
        left -= needs
    return lines
