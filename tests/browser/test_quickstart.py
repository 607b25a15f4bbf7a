"""The quickstart as a newcomer runs it: opened in JupyterLab, Run All."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from lrtkit import Experiment, connect
from tests.browser.conftest import ROOT, Lab, answers, smaller
from tests.servers import free_ports
from tests.waiting import until


@pytest.fixture
def made(tmp_path: Path) -> Iterator[str]:
    """What `make lab` opens in the browser of somebody who has never used JupyterLab; its address."""
    (port,) = free_ports(1)
    server = {"open_browser": False, "allow_root": True, "port": port, "port_retries": 0, "ip": "127.0.0.1"}
    config = {"ServerApp": server, "IdentityProvider": {"token": "newcomer"}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(config))
    environment = {**os.environ, "HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        command = ["make", "lab"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/api/status?token=newcomer"))
        yield f"http://127.0.0.1:{port}/?token=newcomer"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_make_lab_opens_the_quickstart(lab: Lab, made: str) -> None:
    """The notebook is on the screen, its kernel ready, and nobody is asked for leave to fetch news."""
    page = lab.page.context.new_page()
    page.goto(made)
    page.get_by_role("heading", name="Quickstart: jobs that outlive their machines").wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(state="attached")
    page.wait_for_selector("#jupyterlab-splash", state="hidden")
    assert page.locator(".Toastify__toast").count() == 0
    lab.picture("make-lab", page)
    page.close()


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
