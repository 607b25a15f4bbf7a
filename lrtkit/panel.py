"""The autoscaler in a notebook: what it reads, what it would do and why, a button to let it, and its history."""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd

from lrtkit.autoscaler import Autoscaler
from lrtkit.salad import SaladClient
from lrtkit.scaling import Step
from lrtkit.scaling.memory import LONGEST_PAUSE_S
from lrtkit.wire.errors import LrtError

ALERT = "color:#a33"


class Panel:
    """Shows one reading with its decision; *Look again* reads anew, *Apply* takes the step.

    Between the look and the click the queue may have changed, so a step always reads and decides anew, and
    the panel shows what it did.
    """

    def __init__(self, scaler: Autoscaler) -> None:
        self._scaler = scaler
        self._one_at_a_time = threading.Lock()  # a click may come on another thread
        self._told = widgets.HTML()
        self.look_again = widgets.Button(description="Look again", tooltip="Read queue and group, change nothing")
        self.apply = widgets.Button(description="Apply", button_style="primary", tooltip="Take the step")
        self.look_again.on_click(lambda _: self._show(lambda: scaler.step(dry_run=True)))
        self.apply.on_click(lambda _: self._show(scaler.step))
        self._box = widgets.VBox([self._told, widgets.HBox([self.look_again, self.apply])])
        self._show(lambda: scaler.step(dry_run=True))

    @property
    def html(self) -> str:
        """What the panel says now."""
        return str(self._told.value)

    def _show(self, step: Callable[[], Step]) -> None:
        """Take a step and show it; what an error in a callback says would appear nowhere else."""
        with self._one_at_a_time:
            try:
                taken = step()
                since = _since(self._scaler.last_taken(), taken.snapshot.at)
                self._told.value = f'<div role="status">{taken._repr_html_()}<p>{since}</p></div>'
            except LrtError as error:
                self._told.value = f'<p role="alert" style="{ALERT}"><b>It failed.</b> {escape(str(error))}</p>'

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget, and for pages without widgets what it says."""
        found = self._box._repr_mimebundle_(**options)
        data, *more = found if isinstance(found, tuple) else (found,)
        bundle = {**(data or {}), "text/html": self.html}
        return (bundle, *more) if more else bundle


def history(scaler: Autoscaler) -> pd.DataFrame:
    """Return everybody's steps: index ``at`` (UTC), columns as ``charts.queue_depth`` draws them, and the decisions.

    Columns: ``waiting``, ``in_flight``, ``delayed`` (jobs), ``replicas`` (as read), ``wanted``, ``action``,
    ``outcome``, ``why``.
    """
    kept = Step.all_of(scaler.history())
    rows = [
        {
            **{name: getattr(step.snapshot, name) for name in ("waiting", "in_flight", "delayed", "replicas")},
            "wanted": step.decision.replicas,
            "action": str(step.decision.action),
            "outcome": str(step.outcome),
            "why": str(step),
        }
        for step in kept
    ]
    columns = ["waiting", "in_flight", "delayed", "replicas", "wanted", "action", "outcome", "why"]
    at = pd.to_datetime([step.snapshot.at for step in kept], unit="s", utc=True).round("ms")
    return pd.DataFrame(rows, columns=columns, index=at.rename("at"))


def instances(client: SaladClient, group: str) -> pd.DataFrame:
    """Return a group's instances: index ``id``, columns ``state``, ``machine``, ``since`` (UTC), ``deletion_cost``."""
    found = client.list_instances(group)
    since = pd.Series([each.updated_at for each in found], dtype=float)
    columns = {
        "state": [str(each.state) for each in found],
        "machine": [each.machine_id for each in found],
        "since": pd.to_datetime(since, unit="s", utc=True).dt.round("s").array,
        "deletion_cost": [each.deletion_cost for each in found],
    }
    return pd.DataFrame(columns, index=pd.Index([each.id for each in found], name="id", dtype=object))


def prices(client: SaladClient) -> pd.DataFrame:
    """Return today's GPU classes: index ``gpu``, a column a priority, in dollars an hour."""
    frame = pd.DataFrame({each.name: dict(each.prices) for each in client.gpu_classes()}).T
    return frame.rename_axis("gpu").sort_index()


def _since(last: Step | None, now: float) -> str:
    """Return how long ago the group was last looked after; a schedule that was taken away says nothing by itself."""
    if last is None:
        return "Nobody has taken a step yet."
    ago_s = max(0.0, now - last.snapshot.at)
    if ago_s <= LONGEST_PAUSE_S:
        return f"The last step was taken {ago_s / 60:.0f} min ago."
    words = f"Nobody has taken a step for {ago_s / 3600:.1f} h: is the schedule still there?"
    return f'<b style="{ALERT}">{words}</b>'
