"""The board: what is read and drawn on a thread of its own, and what the widgets ask of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from html import escape
from typing import Any

import pandas as pd
from IPython.display import DisplayHandle, display

from lrtkit.control import Ids
from lrtkit.dashboard.controls import ALL, Controls
from lrtkit.dashboard.face import CHARTS, Picture, headline, table, told
from lrtkit.dashboard.orders import Order, Orders
from lrtkit.dashboard.reading import Scaler, Source, look
from lrtkit.wire.errors import LrtError

MOST_LISTED = 200


class Dashboard:
    """A live board of one experiment: a cell that ends with it shows it.

    One thread reads and draws; the widgets only leave orders for it, so that neither the kernel nor the
    page ever waits. It ends when the last view of the board is closed, by ``close`` or with the kernel,
    and goes on where a view is opened again. Beside the board lies a picture with a table for those who
    open the notebook without a kernel; where the board is live it hides them.
    """

    def __init__(self, source: Source, *, scaler: Scaler | None = None, refresh_s: float = 5.0) -> None:
        self._source = source
        self.controls = Controls(refresh_s=refresh_s, has_scaler=scaler is not None)
        self._orders = Orders(self._come_round, due_in_s=self._due_in_s, complain=self._complain)
        self._mark = f"lrt-{uuid.uuid4().hex[:8]}"
        self._still: DisplayHandle | None = None
        self._agreed: Order | None = None
        self._refresh()  # here and not later, so that what is wrong is told in the cell
        self._listen(scaler)

    @property
    def is_live(self) -> bool:
        """Whether it goes on reading."""
        return self._orders.is_running

    def close(self) -> None:
        """End the reading; the last picture stays."""
        self._orders.stop()

    def __repr__(self) -> str:
        return f"<Dashboard of {self._words()}>"

    def _ipython_display_(self) -> None:
        self._still = display(self._bundle(self._drawn()), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        display(self.controls.box)  # type: ignore[no-untyped-call]
        self._orders.start()

    # What is done on the thread, from one order to the next.

    def _due_in_s(self) -> float | None:
        controls = self.controls
        return None if controls.pause.value else max(0.0, self._began_s + controls.every.value - time.monotonic())

    def _complain(self, error: Exception) -> None:
        self.controls.say(escape(f"{type(error).__name__}: {error}"))

    def _come_round(self) -> None:
        """Refresh; a network that is away for a while is told of until it is back."""
        try:
            self._refresh()
        except LrtError as error:
            words = f"{escape(str(error))} This was read before:"
            self.controls.trouble.value = f'<p role="alert">{words}</p>'

    def _refresh(self) -> None:
        self._began_s = time.monotonic()
        self._reading = look(self._source)
        self.controls.trouble.value = ""
        self._draw()

    def _draw(self) -> None:
        self._show_picture()
        self._list_jobs()
        self._tell_story()

    def _show_picture(self) -> None:
        picture = self._drawn()
        hiding = f"<style>.{self._mark} {{ display: none }}</style>"
        self.controls.picture.value = hiding + picture.tag
        self.controls.headline.value = f"<b>{escape(self._words())}</b>"
        if self._still:
            self._still.update(self._bundle(picture), raw=True)  # type: ignore[no-untyped-call]

    def _drawn(self) -> Picture:
        return Picture.of(CHARTS[self.controls.chart.value](self._reading, self._chosen()))

    def _bundle(self, picture: Picture) -> dict[str, str]:
        """Return what stays when the board is gone: line, picture and table."""
        parts = f"<p>{escape(self._words())}</p>{picture.tag}{table(self._chosen())}"
        return picture.bundle(f'<div class="{self._mark}">{parts}</div>')

    def _words(self) -> str:
        return headline(self._source.name, self._reading)

    def _chosen(self) -> pd.DataFrame:
        state = self.controls.state.value
        return self._reading.chosen(None if state == ALL else state, self.controls.words.value)

    def _list_jobs(self) -> None:
        """List the jobs that the filter leaves, and keep the one that was picked."""
        jobs, chosen = self.controls.jobs, self._chosen()
        shown = chosen["state"].head(MOST_LISTED)
        options = [(f"{job} · {state}", job) for job, state in shown.items()]
        if list(jobs.options) != options:
            picked = jobs.value
            jobs.options = options
            jobs.value = picked if picked in shown.index else None
        more = len(chosen) - len(shown)
        self.controls.more.value = f"<p>{more:,} more: narrow them down by state or name.</p>" if more else ""

    def _tell_story(self) -> None:
        picked = self.controls.jobs.value
        self.controls.story.value = told(self._reading.story(picked)) if picked else ""

    def _act(self, act: Callable[[Ids], pd.DataFrame], job_id: str) -> None:
        outcome = act(job_id)["outcome"].iloc[0]
        self._refresh()
        self.controls.say(f"{escape(job_id)}: {escape(outcome)}.")

    def _propose(self, scaler: Scaler) -> None:
        """Show what the autoscaler would do, and ask."""
        proposal = escape(str(scaler.step(dry_run=True)))
        self._ask(f"{proposal} Do it?", "Yes, do it", lambda: self._step(scaler))

    def _step(self, scaler: Scaler) -> None:
        done = escape(str(scaler.step()))
        self._refresh()
        self.controls.say(done)

    # What the widgets do, on whatever thread they are called: leave orders, and nothing that takes time.

    def _listen(self, scaler: Scaler | None) -> None:
        controls = self.controls
        self._on_change(controls.chart, self._show_picture)
        self._on_change(controls.state, self._draw)
        self._on_change(controls.words, self._draw)
        self._on_change(controls.jobs, self._tell_story)
        self._on_change(controls.pause, lambda: None)  # so that it looks anew at when it is due
        self._on_change(controls.every, lambda: None)
        controls.cancel.on_click(lambda _: self._ask_about_job("cancel", self._source.cancel))
        controls.retry.on_click(lambda _: self._ask_about_job("retry", self._source.retry))
        if scaler:
            controls.step.on_click(lambda _: self._orders.put(lambda: self._propose(scaler)))
        controls.question.yes.on_click(lambda _: self._answer(agreed=True))
        controls.question.no.on_click(lambda _: self._answer(agreed=False))
        controls.box._view_count = 0  # from now on the page keeps count
        controls.box.observe(lambda change: self._orders.start() if change["new"] else self.close(), "_view_count")

    def _on_change(self, widget: Any, order: Order) -> None:
        widget.observe(lambda _: self._orders.put(order), "value")

    def _ask_about_job(self, verb: str, act: Callable[[Ids], pd.DataFrame]) -> None:
        job_id = self.controls.jobs.value
        if job_id is None:
            self.controls.say(f"No job is chosen. Try: one of the list, then {verb}.")
            return
        self._ask(f"{verb.capitalize()} <b>{escape(job_id)}</b>?", f"Yes, {verb} it", lambda: self._act(act, job_id))

    def _ask(self, question: str, yes: str, agreed: Order) -> None:
        self._agreed = agreed
        self.controls.say("")
        self.controls.question.ask(question, yes)

    def _answer(self, *, agreed: bool) -> None:
        order, self._agreed = self._agreed, None
        self.controls.question.hide()
        if agreed and order:
            self._orders.put(order)
