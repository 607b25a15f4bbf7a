"""A JupyterLab of the tests' own in a real browser."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
import urllib3

from lrtkit import local
from tests.servers import free_ports
from tests.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'")

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "out" / "browser"
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 90_000
IDLE = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    const kernel = context?.isReady && context.session?.kernel;
    const prompts = [...document.querySelectorAll(".jp-InputPrompt")];
    return kernel && kernel.connectionStatus === "connected" && kernel.status === "idle"
        && !prompts.some(each => each.innerText.includes("*"));
}"""


class Lab:
    """A running JupyterLab, and the page that it is open on."""

    def __init__(self, url: str, token: str, folder: Path, page: Page) -> None:
        self.url, self.token, self.folder, self.page = url, token, folder, page

    def open(self, notebook: str) -> None:
        """Open a notebook, in a workspace of its own, and wait until its kernel is idle."""
        self.page.goto(
            f"{self.url}/lab/workspaces/{notebook.removesuffix('.ipynb')}/tree/{notebook}?token={self.token}"
        )
        self.page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel has answered and nothing runs; what is asked before then JupyterLab forgets."""
        self.page.wait_for_function(IDLE)

    def menu(self, *words: str) -> None:
        """Choose from the menu bar, by the words of each level."""
        first, *others = words
        self.page.click(f".lm-MenuBar-item:has-text('{first}')")
        for word in others:
            self.page.click(f".lm-Menu-item:has(.lm-Menu-itemLabel:text-is('{word}'))")

    def run_all(self) -> None:
        """Run all cells, and wait for the last."""
        self.menu("Run", "Run All Cells")
        self.page.locator(".jp-CodeCell .jp-InputPrompt", has_text="[1]").wait_for()
        self.idle()

    def run_in_last_cell(self, code: str) -> None:
        """Write code over that of the last cell, and run it; this waits for nothing."""
        self.page.locator(".jp-CodeCell").last.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")

    def picture(self, name: str, page: Page | None = None) -> None:
        """Keep a screenshot for whoever looks at the build, once the page has come to rest."""
        page = page or self.page
        page.wait_for_selector("#jupyterlab-splash", state="hidden")
        page.wait_for_timeout(400)
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")

    def outputs(self) -> str:
        """Return all outputs as text, those too that are scrolled out of sight and not laid out."""
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_text_contents())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on 127.0.0.1 with a token, settings and a copy of the notebooks of its own."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH: apt install chromium")
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    _leave_in_peace(folder / "settings")
    token, port = secrets.token_hex(16), *free_ports(1)
    process = _start(folder, token, port)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{url}/api/status?token={token}"))
        with sync_api.sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                folder / "profile", executable_path=CHROMIUM, args=ARGUMENTS, viewport={"width": 1280, "height": 1000}
            )
            context.set_default_timeout(PATIENCE_MS)
            yield Lab(url, token, folder, context.pages[0])
            context.close()
    finally:
        process.terminate()
        process.wait(30)
        local.down(folder / ".lrt")


def smaller(path: Path, **parameters: object) -> None:
    """Write other values into the cell of parameters."""
    notebook = nbformat.read(path, as_version=4)
    (cell,) = [each for each in notebook.cells if "parameters" in each.metadata.get("tags", [])]
    for name, value in parameters.items():
        cell.source, found = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", cell.source, flags=re.MULTILINE)
        assert found == 1, name
    nbformat.write(notebook, path)


def _leave_in_peace(settings: Path) -> None:
    """Let JupyterLab ask for no news."""
    place = settings / "@jupyterlab" / "apputils-extension"
    place.mkdir(parents=True)
    (place / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')


def _start(folder: Path, token: str, port: int) -> subprocess.Popen[bytes]:
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = {
        **os.environ,
        **{f"JUPYTER_{place}": str(folder / place.lower()) for place in places},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "IDENTITY_TOKEN": token,
        "JUPYTER_TOKEN": token,
    }
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options.append("--LabApp.expose_app_in_browser=True")
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder / 'notebooks'}"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    with (folder / "lab.log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def answers(url: str) -> bool:
    """Tell whether a server answers."""
    try:
        with urllib3.PoolManager(retries=False, timeout=5) as pool:
            return pool.request("GET", url).status == 200
    except urllib3.exceptions.HTTPError:
        return False
