"""The quickstart as a newcomer runs it: opened in JupyterLab, Run All."""

from __future__ import annotations

import pandas as pd

from lrtkit import Experiment, connect
from tests.browser.conftest import Lab, smaller


def test_run_all(lab: Lab) -> None:
    """Four jobs on two machines: every cell runs, nothing is red, the pictures are there, and the bucket agrees."""
    notebooks = lab.folder / "notebooks"
    jobs = pd.read_csv(notebooks / "data" / "argon.csv").iloc[4:8]
    jobs.assign(steps=4000).to_csv(notebooks / "few.csv", index=False)
    smaller(notebooks / "00_quickstart.ipynb", table="few.csv", replicas=2, interruptions_per_hour=60)
    lab.open("00_quickstart.ipynb")
    lab.run_all()
    page = lab.page
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator(".jp-OutputArea img[alt*='all finished']").count() == 1
    assert "no job is lost" in lab.outputs()
    page.locator("img[alt*='all finished']").scroll_into_view_if_needed()
    lab.picture("00-lanes")
    page.locator(".jp-OutputArea img[alt*='pressure']").scroll_into_view_if_needed()
    lab.picture("00-pressure")
    exp = Experiment("argon", connect(lab.folder / ".lrt" / "submitter.env"))
    assert exp.status()["state"].tolist() == ["done"] * 4
