"""The autoscaler in a notebook."""

from __future__ import annotations

import time

import pandas as pd

from lrtkit import charts, panel
from lrtkit.panel import Panel


def test_it_shows_and_does_nothing_until_apply(scaler, published, jobs):
    """The reading, the decision and its reasons are shown; only the button changes the group."""
    jobs(3)
    shown = Panel(scaler)
    assert "start it with 3 replicas" in shown.html
    assert "dry run" in shown.html
    assert published.changes() == []
    shown.apply.click()
    assert (published.replicas, published.status) == (3, "deploying")
    assert "Start with 3 replicas: done" in shown.html


def test_looking_again_reads_anew(scaler, published, jobs):
    """What has changed since is seen without a step."""
    shown = Panel(scaler)
    jobs(2)
    shown.look_again.click()
    assert "start it with 2 replicas" in shown.html
    assert published.changes() == []


def test_an_error_in_a_click_is_shown(scaler, published, jobs):
    """A callback's exception would appear nowhere, so the panel says it."""
    jobs(1)
    shown = Panel(scaler)
    published.trouble = {("POST", "start"): 502}
    shown.apply.click()
    assert 'role="alert"' in shown.html
    assert "502 Bad Gateway" in shown.html
    assert "the replicas were set to 1; the next step goes on" in shown.html


def test_how_long_ago_the_last_step_was_shows(scaler):
    """The panel says when anybody has really taken a step: a dry run is none."""
    shown = Panel(scaler)
    assert "Nobody has taken a step yet." in shown.html
    shown.apply.click()
    assert "The last step was taken 0 min ago." in shown.html


def test_a_group_that_nobody_looks_after_is_told(scaler):
    """After half an hour without a step somebody should look, and the panel says so."""
    scaler.step(now=lambda: time.time() - 4 * 86_400 - 5400)
    scaler.step(now=lambda: time.time() - 4 * 86_400)
    scaler.step(dry_run=True)
    assert "Nobody has taken a step for 96.0 h: is the schedule still there?" in Panel(scaler).html


def test_a_page_without_widgets_shows_what_it_said(scaler):
    """Beside the widget the cell keeps the words as HTML."""
    found = Panel(scaler)._repr_mimebundle_()
    data = found[0] if isinstance(found, tuple) else found
    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'role="status"' in data["text/html"]


def test_everybodys_history_is_a_frame_that_can_be_drawn(scaler, published, jobs):
    """A row a step, dry ones too, with what was seen, decided and done, as the depth chart takes it."""
    assert panel.history(scaler).empty
    jobs(2)
    scaler.step(dry_run=True, now=lambda: 1000.0)
    scaler.step(now=lambda: 1300.0)
    frame = panel.history(scaler)
    assert frame["outcome"].tolist() == ["dry run", "done"]
    assert frame["wanted"].tolist() == [2, 2]
    assert frame.index[0] == pd.Timestamp(1000, unit="s", tz="UTC")
    assert ": 2 waiting, 0 in flight; at most" in charts.alt(charts.queue_depth(frame))  # and no word on dead letters


def test_instances_and_prices_are_frames(scaler, published):
    """What runs and what it costs, as tables."""
    published.runs(2, busy=1)
    assert panel.instances(scaler.salad, "workers")["deletion_cost"].tolist() == [1, 0]
    assert panel.prices(scaler.salad).loc["RTX 4090 (24 GB)", "batch"] == 0.16
    published.instances = []
    assert panel.instances(scaler.salad, "workers").empty
