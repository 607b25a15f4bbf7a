"""The notebook where policies are enforced: what stands in for AWS is entered by a profile, as AWS is."""

from __future__ import annotations

import warnings
from pathlib import Path

import nbformat
import papermill
import pytest

from lrtkit.queues import Admin, Setup
from lrtkit.wire.settings import read_env_file
from tests.queues.conftest import ROOT, admin_file
from tests.queues.recorder import Recorder

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def executed(folder: Path, **parameters: object) -> nbformat.NotebookNode:
    notebook = NOTEBOOKS / "01_create_queues.ipynb"
    assert set(parameters) <= set(papermill.inspect_notebook(str(notebook)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jupyter_client's own, about its transport
        return papermill.execute_notebook(
            str(notebook),
            str(folder / "run.ipynb"),
            parameters,
            cwd=str(NOTEBOOKS),
            progress_bar=False,
            execution_timeout=120,
        )


def test_aws_is_one_parameter(gate: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a profile the same cells end in a set-up whose every refusal is the service's own, and no key shows."""
    (tmp_path / "credentials").write_text(
        f"[mine]\naws_access_key_id = {ROOT.key_id}\naws_secret_access_key = {ROOT.secret}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
    keys = tmp_path / "keys"
    try:
        run = nbformat.writes(executed(tmp_path, profile="mine", queue="by-notebook.fifo", env_folder=str(keys)))
    finally:
        admin = Admin.from_env_file(admin_file(tmp_path, gate.url, ROOT))
        setup = Setup(admin, keys, queue="by-notebook.fifo", bucket="lrt-jobs")
        secrets = [read_env_file(path)["SQS_AWS_SECRET_ACCESS_KEY"] for path in keys.glob("*.env")]
        settled = setup.plan().is_settled
        setup.teardown("by-notebook.fifo", with_contents=True)
    assert settled
    assert "refused, as it should be" in run
    assert "not enforced here" not in run
    assert len(secrets) == 4
    assert not [secret for secret in secrets if secret in run]
