"""The widgets of the board, each labelled, in the order in which the keyboard reaches them."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from lrtkit.dashboard.face import CHARTS
from lrtkit.dashboard.reading import STATES

INTERVALS_S = (1, 2, 5, 10, 30, 60, 300)
ALL = "all"
LABEL = {"description_width": "initial"}
ROW = {"display": "flex", "flex_flow": "row wrap", "align_items": "center", "grid_gap": "4px 12px"}


def _row(*members: widgets.Widget) -> widgets.Box:
    return widgets.Box(members, layout=widgets.Layout(**ROW))


def _narrow(width: str) -> dict[str, Any]:
    return {"layout": widgets.Layout(width=width), "style": LABEL}


def _button(words: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=words, tooltip=tooltip, layout=widgets.Layout(width="auto"))


def _answer_while_cells_run(*inputs: widgets.Widget) -> None:
    """Let clicks through while a cell runs, as the page has sent them: over a thread of their own (a subshell).

    ipykernel 7.4 would lead them to the thread that made the widget, where the cell is in the way. Here
    no callback does more than leave an order, so that any thread will do.
    """
    for widget in inputs:
        widget.comm._reply_subshell_for = lambda _, sent_over: sent_over


class Question:
    """Asks once whether something is to be done, and does nothing until somebody says yes."""

    def __init__(self) -> None:
        self.words = widgets.HTML()
        self.yes = _button("Yes", "do it")
        self.no = _button("No", "leave everything as it is")
        self.box = _row(self.words, self.yes, self.no)
        self.box.layout.display = "none"

    def ask(self, html: str, yes: str) -> None:
        """Show the question, with what the button that agrees is to say."""
        self.words.value, self.yes.description = html, yes
        self.box.layout.display = "flex"

    def hide(self) -> None:
        """Take the question away."""
        self.box.layout.display = "none"


class Controls:
    """All widgets; ``box`` has them laid out, wrapping where the page is narrow."""

    def __init__(self, *, refresh_s: float, has_scaler: bool) -> None:
        self.trouble = widgets.HTML()
        self.headline = widgets.HTML()
        self.picture = widgets.HTML()
        self.chart = widgets.ToggleButtons(
            options=list(CHARTS), description="Show", style={"button_width": "auto", **LABEL}
        )
        self.pause = widgets.ToggleButton(
            description="Pause", tooltip="stop and go on reading bucket and queue", layout=widgets.Layout(width="auto")
        )
        every = [(f"{each:g} s", each) for each in sorted({*INTERVALS_S, refresh_s})]
        self.every = widgets.Dropdown(options=every, value=refresh_s, description="Refresh every", **_narrow("12em"))
        self.state = widgets.Dropdown(options=[ALL, *STATES], description="State", **_narrow("12em"))
        hint = "part of a job's name"
        self.words = widgets.Text(description="Find", placeholder=hint, continuous_update=False, **_narrow("20em"))
        self.jobs = widgets.Select(description="Jobs", rows=8, **_narrow("32em"))
        self.more = widgets.HTML()
        self.cancel = _button("Cancel job…", "asks before it does so")
        self.retry = _button("Retry job…", "asks before it does so")
        self.step = _button("Autoscaler step…", "shows what would be done, and asks")
        self.step.layout.display = "flex" if has_scaler else "none"
        self.question = Question()
        self.message = widgets.HTML()
        self.story = widgets.HTML()
        self.box = self._laid_out()
        self.box.add_class("lrt-board")
        _answer_while_cells_run(self.box, self.question.yes, self.question.no, *self._inputs())

    def _inputs(self) -> tuple[widgets.Widget, ...]:
        choices = (self.chart, self.pause, self.every, self.state, self.words, self.jobs)
        return (*choices, self.cancel, self.retry, self.step)

    def _laid_out(self) -> widgets.VBox:
        return widgets.VBox(
            [
                self.trouble,
                self.headline,
                _row(self.chart, self.pause, self.every),
                self.picture,
                _row(self.state, self.words),
                _row(self.jobs, widgets.VBox([self.cancel, self.retry, self.step])),
                self.more,
                self.question.box,
                self.message,
                self.story,
            ]
        )

    def say(self, html: str) -> None:
        """Tell what has happened, also to a screen reader."""
        self.message.value = f'<p role="status">{html}</p>' if html else ""
