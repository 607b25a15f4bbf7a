"""How every chart looks: colours, sizes, labels at the ends of lines, and the sentence that stands for a picture."""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

# Okabe and Ito's colours; their yellow is left out, it vanishes on white.
BLACK, ORANGE, SKY, GREEN, _, BLUE, VERMILLION, PURPLE = map(to_hex, mpl.color_sequences["okabe_ito"])
INK, MUTED, FAINT = "#222222", "#666666", "#e4e4e4"
WIDTH_IN, HEIGHT_IN, PAD_IN, DPI = 7.5, 4.0, 0.08, 110
TITLE_LETTERS, LONGEST_NAME, LONGEST_ID = 72, 26, 48
TITLE_PT, LABEL_PT, SMALL_PT = 11.5, 9.5, 8.0

Floats = NDArray[np.float64]

# From a label to its line; it leaves at the label's left, so as to cross none of its neighbours.
LEADER: dict[str, Any] = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "alpha": 0.6, "relpos": (0, 0.5)}
LEADER |= {"shrinkA": 1, "shrinkB": 4}


class Picture(Figure):
    """A figure outside pyplot that shows itself in a notebook, once, with its alt text."""

    def __init__(self, height_in: float = HEIGHT_IN) -> None:
        super().__init__(figsize=(WIDTH_IN, height_in), dpi=DPI)
        self._agg = FigureCanvasAgg(self)
        self.set_layout_engine("constrained", w_pad=PAD_IN, h_pad=PAD_IN)

    def png(self, description: str) -> bytes:
        """Return the picture as a PNG; ``savefig`` would walk it twice, once for the layout alone."""
        buffer = io.BytesIO()
        self._agg.print_png(buffer, metadata={"Description": description})  # type: ignore[no-untyped-call]
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        # The formatter that IPython has for figures arrives with pyplot, and knows no alt text.
        words = " ".join(alt(ax) for ax in self.axes)
        image = base64.b64encode(self.png(words)).decode()
        tag = f'<img alt="{html.escape(words)}" src="data:image/png;base64,{image}">'
        return {"text/html": tag, "image/png": image, "text/plain": words}


def alt(ax: Axes) -> str:
    """Return what the chart on ``ax`` shows, in one sentence (kept as the label of the Axes)."""
    return str(ax.get_label())


def png(ax: Axes) -> bytes:
    """Return the whole picture that ``ax`` belongs to as a PNG, with ``alt(ax)`` as its description."""
    figure = root(ax)
    if isinstance(figure, Picture):
        return figure.png(alt(ax))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Description": alt(ax)})
    return buffer.getvalue()


def root(ax: Axes) -> Figure:
    """Return the figure that the Axes stand in, also where a subfigure lies between."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("these Axes have been removed from their figure. Try: draw the chart again")
    return figure


def dressed(ax: Axes | None, *, height_in: float = HEIGHT_IN, grid: Literal["x", "both"] = "both") -> Axes:
    """Return ``ax``, or Axes in a new Picture, in the style of the house."""
    # Set on the Axes and not in rcParams, which are global while the dashboard draws on a thread.
    ax = Picture(height_in).add_subplot() if ax is None else ax
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(labelsize=LABEL_PT, color=MUTED, labelcolor=INK, length=3)
    ax.grid(visible=True, axis=grid, color=FAINT, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def tell(ax: Axes, title: str, sentence: str) -> Axes:
    """Write the title, and keep the sentence that ``alt`` returns."""
    title = "\n".join(textwrap.wrap(title, TITLE_LETTERS, break_on_hyphens=False))
    ax.set_title(title, loc="left", y=1, fontsize=TITLE_PT, color=INK, pad=8)
    ax.set_label(sentence)
    return ax


def name_axes(ax: Axes, x: str, y: str) -> None:
    """Label both axes."""
    ax.set_xlabel(x, fontsize=LABEL_PT, color=INK)
    ax.set_ylabel(y, fontsize=LABEL_PT, color=INK)


def nothing_yet(ax: Axes | None, words: str) -> Axes:
    """Return Axes that say in words that there is nothing to draw yet."""
    ax = dressed(ax, height_in=HEIGHT_IN / 2)
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", fontsize=TITLE_PT, color=MUTED)
    ax.set_label(f"An empty chart: {words}.")
    return ax


def count(number: int, noun: str) -> str:
    """Return ``3 jobs``, ``1 job`` or ``no jobs``."""
    return f"{f'{number:,}' if number else 'no'} {noun}{'' if number == 1 else 's'}"


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """Return a name without its middle where it would take the room of the picture."""
    half = longest // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def told_apart(names: Sequence[str], longest: int = LONGEST_NAME) -> list[str]:
    """Return the names, and where one is long the part in which they differ, with as much around it as has room."""
    if max(map(len, names), default=0) <= longest or len(set(names)) == 1:
        return [shortened(name, longest) for name in names]
    begin = _alike(names)
    end = _alike(name[:begin:-1] for name in names)
    around = max(0, longest - max(len(name) - begin - end for name in names)) // 2
    begin, end = max(0, begin - around), max(0, end - around)
    parts = (name[begin : len(name) - end] for name in names)
    return [shortened(f"{'…' * (begin > 0)}{part}{'…' * (end > 0)}", longest + 2) for part in parts]


def _alike(names: Iterable[str]) -> int:
    """Return with how many letters all of the names begin."""
    return sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False)))


def shared(jobs: Sequence[str]) -> str:
    """Return the experiment that all ids begin with, or nothing where there are several."""
    experiments = {job.rpartition("/")[0] for job in jobs}
    return experiments.pop() if len(experiments) == 1 else ""


def numbers(column: pd.Series[Any]) -> Floats:
    """Return a column as floats, with NaN for whatever is missing or no number."""
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def size_pt(ax: Axes) -> tuple[float, float]:
    """Return width and height of the Axes in points, before any layout has moved them."""
    box = ax.get_window_extent().transformed(root(ax).dpi_scale_trans.inverted())
    return 72 * box.width, 72 * box.height


def beside(ax: Axes, right_pt: float = 0, up_pt: float = 0, of: Transform | None = None) -> Transform:
    """Return the transform of the data (or ``of`` others) with a shift in points."""
    return (of or ax.transData) + ScaledTranslation(right_pt / 72, up_pt / 72, root(ax).dpi_scale_trans)


@dataclass(frozen=True)
class Tip:
    """The end of a line in data units, and what to write beside it."""

    x: float
    y: float
    text: str
    colour: str


def label_tips(ax: Axes, tips: Sequence[Tip]) -> None:
    """Write each label right of the Axes, level with its tip or as near as the others allow; call it last."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    gap = 1.35 * LABEL_PT / size_pt(ax)[1] * (high - low)
    heights = spread(np.array([tip.y for tip in tips]), gap, low=low, high=high)
    for tip, height in zip(tips, heights, strict=True):
        ax.annotate(
            shortened(tip.text),
            xy=(tip.x, tip.y),
            xytext=(1.02, height),
            textcoords=ax.get_yaxis_transform(),
            va="center",
            fontsize=LABEL_PT,
            color=legible(tip.colour),
            arrowprops=LEADER,
            annotation_clip=False,
        )


def legible(colour: str) -> str:
    """Return the colour, darkened where it is too light for text on white."""
    rgb = np.array(to_rgb(colour))
    lightness = float(rgb @ (0.2126, 0.7152, 0.0722))
    red, green, blue = rgb * min(1.0, 0.42 / max(lightness, 0.01))
    return to_hex((red, green, blue))


def spread(wanted: Floats, gap: float, *, low: float, high: float) -> Floats:
    """Return the heights nearest to ``wanted`` that keep their order, ``gap`` apart and within the limits.

    Where there is no room for all, the upper limit gives way.
    """
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    # Less the steps, "at least a gap apart" reads "not falling": pooling neighbours solves that exactly.
    pools: list[tuple[float, int]] = []
    for value in wanted[order] - steps:
        mean, size = float(value), 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, size = (before * members + mean * size) / (members + size), members + size
        pools.append((mean, size))
    level = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    room = max(low, high - gap * (len(wanted) - 1))
    heights = np.empty(len(wanted))
    heights[order] = np.clip(level, low, room) + steps
    return heights
