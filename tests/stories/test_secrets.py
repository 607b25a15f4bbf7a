"""Keys show nowhere, and nothing that comes from a queue or a bucket is ever run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from lrtkit import Experiment, connect
from lrtkit.queues import doctor
from lrtkit.wire.errors import LrtError
from lrtkit.wire.settings import read_env_file, write_env_file
from tests.telling import told_with_variables
from tests.worker.lab import Lab

ROOT = Path(__file__).parents[2]
PLANTED = {
    "R2_AWS_SECRET_ACCESS_KEY": "planted-bucket-secret-0123456789",
    "R2_AWS_SESSION_TOKEN": "planted-session-token-0123456789",
    "SQS_AWS_SECRET_ACCESS_KEY": "planted-queue-secret-0123456789",
}
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
RUNNERS = {"eval", "exec", "compile"}


@pytest.fixture
def planted(cloud, env, tmp_path) -> Iterator[Lab]:
    """A laboratory whose keys are easy to find, and whose workloads have every reason to tell them."""
    path = tmp_path / "planted.env"
    write_env_file(path, {**env, **PLANTED})
    lab = Lab(connect(path), {**env, **PLANTED, "MY_COPY": f"x{PLANTED['R2_AWS_SESSION_TOKEN']}x"}, tmp_path)
    yield lab
    lab.end()


def holds_a_key(text: str) -> list[str]:
    return [name for name, secret in PLANTED.items() if secret in text]


def test_no_key_is_in_anything_that_a_campaign_leaves(planted, tmp_path):
    """A workload that prints and returns its whole environment tells no key: in no log, object, frame or story."""
    exp = Experiment("story", planted.cloud)
    exp.submit([{"name": "tells", "steps": 1}])
    worker = planted.worker("tests.queues.workloads:environment")
    exp.wait(60, every_s=0.2)
    planted.drained()
    assert not holds_a_key(worker.log.read_text())
    assert not holds_a_key(" ".join(planted.cloud.store.get(key).body.decode() for key in planted.objects("")))
    frames = [exp.status(), exp.results(), exp.attempts(), exp.diff([{"name": "more", "steps": 1}])]
    shown = [frame.to_csv() + frame.to_html() for frame in frames]
    shown += [f"{thing!r}{thing._repr_html_()}" for thing in (exp, exp.cloud, exp.why("tells"))]
    assert not holds_a_key("".join(shown))
    assert "LRT_JOB" in exp.results().columns


def test_no_key_is_in_an_error_or_a_diagnosis(planted, tmp_path):
    """Whatever is wrong with a file, what is said of it holds no key."""
    values = read_env_file(tmp_path / "planted.env")
    changes = {"name": {"R2_BUCKET_NAME": "nowhere"}, "gone": {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9"}}
    for name, change in changes.items():
        path = tmp_path / f"{name}.env"
        write_env_file(path, {**values, **change})
        with pytest.raises(LrtError) as caught:
            connect(path).check()
        assert not holds_a_key(f"{caught.value}{caught.value!r}")
        diagnosis = doctor(path, role="worker")
        assert not diagnosis.is_healthy
        assert not holds_a_key(repr(diagnosis) + diagnosis._repr_html_())


CALLS = {
    "check": lambda cloud: cloud.check(),
    "read many": lambda cloud: cloud.store.read(["a/checkpoint.json"], bytes),
    "upload": lambda cloud: cloud.store.put("a", b""),
}
PLACES = {
    "silent": {"R2_S3_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9"},
    "impossible": {"R2_S3_ENDPOINT_URL": "http://a..b", "AWS_ENDPOINT_URL_SQS": "http://a..b"},
    "elsewhere": {"R2_BUCKET_NAME": "nowhere"},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CALLS)
def test_no_key_is_in_the_variables_of_a_traceback(planted, tmp_path, name, place):
    """Not even with the local variables of every function on the way, boto3's too, does an error tell a key."""
    path = tmp_path / "elsewhere.env"
    write_env_file(path, {**read_env_file(tmp_path / "planted.env"), **PLACES[place]})
    told = told_with_variables(lambda: CALLS[name](connect(path)))
    assert "lrtkit.wire.errors" in told
    assert not holds_a_key(told)


def test_no_key_is_in_the_variables_where_an_env_file_is_wrong(planted, tmp_path):
    """A line that is none, a lost quotation mark or another encoding is told without the lines around it."""
    path = tmp_path / "planted.env"
    text = path.read_bytes()
    for wrong in (b"a line\n", b"NAME='value\n", b"\xff\xfe\n", PLANTED["SQS_AWS_SECRET_ACCESS_KEY"].encode()):
        path.write_bytes(text + wrong)
        told = told_with_variables(lambda: connect(path))
        assert str(path) in told
        assert not holds_a_key(told)


def test_no_key_is_in_the_variables_where_the_environment_is_wrong(monkeypatch, tmp_path):
    """Keys that stand in the environment are not told where something else is missing there."""
    monkeypatch.chdir(tmp_path)
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    told = told_with_variables(connect)
    assert "R2_AWS_SESSION_TOKEN" in told
    assert not holds_a_key(told)


def test_env_files_are_parsed_and_not_run(tmp_path):
    """What a shell would run is a value like any other."""
    path = tmp_path / "odd.env"
    write_env_file(path, {"A": f"$(touch {tmp_path}/ran)", "B": f"`touch {tmp_path}/ran`", "C": "$HOME"})
    assert read_env_file(path)["C"] == "$HOME"
    assert not (tmp_path / "ran").exists()


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every line of Python that the kit, the worker and the notebooks have."""
    for folder in ("lrtkit", "worker"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        lines = [line for line in "\n".join(cells).splitlines() if not line.startswith(("%", "!"))]
        yield path.name, ast.parse("\n".join(lines))


def dangers(tree: ast.Module) -> Iterator[str]:
    """Yield what could run what it reads: unpicklers, evaluation, loaders that are not told to be careful."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in UNPICKLERS - {"pickle"})
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in UNPICKLERS:
            yield str(node.module)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pickle" and node.attr != "dumps":
            yield f"pickle.{node.attr}"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            told = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called in RUNNERS or called in {"yaml.load", "yaml.unsafe_load"} or told.get("allow_pickle") == "True":
                yield called
            if called == "torch.load" and told.get("weights_only") != "True":
                yield called
            if called.endswith("read_pickle"):
                yield called


def test_nothing_is_unpickled_or_evaluated():
    """What comes from the queue or the bucket is JSON or a file's bytes; pickle only compares, and never loads."""
    found = {name: list(dangers(tree)) for name, tree in sources()}
    assert len(found) > 100
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "pickle.loads(x)",
        "from pickle import load",
        "import dill",
        "from joblib import load",
        "eval(x)",
        "np.load(f, allow_pickle=True)",
        "torch.load(f)",
    ],
)
def test_the_search_finds_what_it_is_for(line):
    """The search itself is tried on what it must find."""
    assert list(dangers(ast.parse(line)))
