"""Connecting: which settings are taken, and what is said when something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from lrtkit import connect, queues
from lrtkit.connection import Cloud
from lrtkit.wire.errors import BadInput, Denied, NotFound, Unavailable
from lrtkit.wire.settings import write_env_file
from tests.serving import serving


class Refusing(BaseHTTPRequestHandler):
    """Refuses every key, in the words of SQS and of S3."""

    def do_POST(self) -> None:
        """Answer as SQS does."""
        self._refuse(b'{"__type": "InvalidClientTokenId", "message": "The security token is invalid."}')

    def do_GET(self) -> None:
        """Answer as S3 does."""
        self._refuse(b"<Error><Code>InvalidAccessKeyId</Code><Message>There is no such key.</Message></Error>")

    def _refuse(self, body: bytes) -> None:
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def refusing_url() -> Iterator[str]:
    with serving(Refusing) as url:
        yield url


def connected(env: dict[str, str], tmp_path: Path, **changes: str) -> Cloud:
    path = tmp_path / "changed.env"
    write_env_file(path, {**env, **changes})
    return connect(path)


def test_env_file_by_path(env_file: Path, env: dict[str, str]) -> None:
    """A cloud has the queue and bucket of the file that it is given."""
    cloud = connect(env_file)
    assert (cloud.queue.url, cloud.store.bucket) == (env["SQS_QUEUE_URL"], env["R2_BUCKET_NAME"])


def test_nearest_env_file(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook in a folder below finds the .lrt beside that folder, whatever the environment says."""
    notebooks = tmp_path / "repo" / "notebooks"
    notebooks.mkdir(parents=True)
    (tmp_path / "repo" / ".lrt").mkdir()
    write_env_file(tmp_path / "repo" / ".lrt" / "submitter.env", env)
    monkeypatch.chdir(notebooks)
    monkeypatch.setenv("R2_BUCKET_NAME", "another")
    cloud = connect()
    assert cloud.store.bucket == env["R2_BUCKET_NAME"]
    assert cloud.source == str(tmp_path / "repo" / ".lrt" / "submitter.env")


def test_environment(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any file the environment counts."""
    monkeypatch.chdir(tmp_path)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert connect().source == "the environment"


def test_repr_has_no_secret(bare_cloud: Cloud, env: dict[str, str]) -> None:
    """What a notebook shows of a cloud names the queue and the bucket, and no key."""
    shown = repr(bare_cloud) + bare_cloud._repr_html_() + bare_cloud.queue._repr_html_()
    assert bare_cloud.queue.name in shown
    assert bare_cloud.store.bucket in shown
    assert not [value for name, value in env.items() if "SECRET" in name and value in shown + repr(vars(bare_cloud))]


def test_what_is_shown_is_escaped(env: dict[str, str], tmp_path: Path) -> None:
    """A path with HTML in it is shown as text."""
    path = tmp_path / "<script>.env"
    write_env_file(path, env)
    shown = connect(path)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;.env" in shown


def test_missing_env_file(tmp_path: Path) -> None:
    """A path that leads nowhere is named, with what to do."""
    with pytest.raises(BadInput) as caught:
        connect(tmp_path / "no.env")
    assert str(caught.value) == (
        f"there is no env file {tmp_path}/no.env. Try: `python -m lrtkit.local up`, or notebook 01"
    )


def test_missing_variables_of_a_file(env: dict[str, str], tmp_path: Path) -> None:
    """All variables that a file lacks are told at once, each with where it is got."""
    with pytest.raises(BadInput) as caught:
        connected(env, tmp_path, SQS_QUEUE_URL="", R2_BUCKET_NAME="")
    assert str(caught.value) == (
        f"{tmp_path}/changed.env: the environment is not complete: "
        "SQS_QUEUE_URL is missing "
        "(the URL of the job queue, https://….fifo, as `lrtkit.queues` or the AWS console shows it); "
        "R2_BUCKET_NAME is missing (the name of the bucket, from the Cloudflare console under R2)"
    )


def test_nothing_to_connect_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without file and variables the newcomer is told how to get them."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        connect()
    assert str(caught.value) == (
        f"there is no .lrt/submitter.env in {tmp_path} or above, and none of SQS_QUEUE_URL, SQS_DLQ_URL, "
        "SQS_AWS_REGION, SQS_AWS_ACCESS_KEY_ID, SQS_AWS_SECRET_ACCESS_KEY, R2_S3_ENDPOINT_URL, R2_BUCKET_NAME, "
        "R2_AWS_ACCESS_KEY_ID, R2_AWS_SECRET_ACCESS_KEY is set. "
        'Try: `python -m lrtkit.local up`, or connect("keys/submitter.env")'
    )


def test_half_an_environment(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where some variables are set, those that are not are told, each with where it is got."""
    monkeypatch.chdir(tmp_path)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("R2_BUCKET_NAME")
    with pytest.raises(BadInput) as caught:
        connect()
    assert str(caught.value) == (
        "the environment is not complete: R2_BUCKET_NAME is missing (the name of the bucket, from the Cloudflare "
        "console under R2); and there is no .lrt/submitter.env here or above. "
        "Try: `python -m lrtkit.local up`, or connect(env_file)"
    )


def test_check_is_content(cloud: Cloud) -> None:
    """A cloud with everything in its place passes."""
    cloud.check()


def test_unreachable_queue(env: dict[str, str], tmp_path: Path) -> None:
    """A port on which nothing listens is told by its URL and the variables to mend."""
    url = "http://127.0.0.1:9/000000000000/jobs.fifo"
    cloud = connected(env, tmp_path, SQS_QUEUE_URL=url, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")
    with pytest.raises(Unavailable) as caught:
        cloud.check()
    assert str(caught.value) == (
        f"queue jobs.fifo does not answer at {url}: Could not connect to the endpoint URL: "
        '"http://127.0.0.1:9/". Try: mend SQS_QUEUE_URL, SQS_DLQ_URL and AWS_ENDPOINT_URL_SQS, '
        "or `python -m lrtkit.local up`"
    )


def test_unreachable_bucket(cloud: Cloud, env: dict[str, str], tmp_path: Path) -> None:
    """The same for the bucket's endpoint."""
    with pytest.raises(Unavailable, match=r"bucket .* does not answer at http://127.0.0.1:9: .* mend R2_S3_ENDPOINT"):
        connected(env, tmp_path, R2_S3_ENDPOINT_URL="http://127.0.0.1:9").check()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"R2_S3_ENDPOINT_URL": "http://a..b"}, r"http://a\.\.b is no place for s3: Invalid endpoint"),
        (
            {"SQS_AWS_REGION": "us-east-1-", "AWS_ENDPOINT_URL_SQS": ""},
            r"the region us-east-1- is no place for sqs: .*",
        ),
    ],
)
def test_impossible_place(cloud: Cloud, env: dict[str, str], tmp_path: Path, changes: dict[str, str], why: str) -> None:
    """An endpoint or a region that cannot be is told as it stands in the file."""
    with pytest.raises(BadInput, match=rf"{why}.* Try: mend it"):
        connected(env, tmp_path, **changes).check()


def test_missing_queue(cloud: Cloud, env: dict[str, str], tmp_path: Path, server: str) -> None:
    """A queue that does not exist is named, with what makes it."""
    url = f"{server}/000000000000/none.fifo"
    with pytest.raises(NotFound) as caught:
        connected(env, tmp_path, SQS_QUEUE_URL=url).check()
    assert (
        str(caught.value) == f"there is no queue none.fifo at {url}. Try: lrtkit.queues.make(cloud), or mend its name"
    )


def test_missing_dead_letter_queue(cloud: Cloud, env: dict[str, str], tmp_path: Path, server: str) -> None:
    """The dead-letter queue is looked at too."""
    with pytest.raises(NotFound, match=r"there is no dead-letter queue none\.fifo at .*Try: lrtkit\.queues\.make"):
        connected(env, tmp_path, SQS_DLQ_URL=f"{server}/000000000000/none.fifo").check()


def test_missing_bucket(cloud: Cloud, env: dict[str, str], tmp_path: Path, server: str) -> None:
    """A bucket that does not exist is named, with what makes it."""
    with pytest.raises(NotFound) as caught:
        connected(env, tmp_path, R2_BUCKET_NAME="nowhere-at-all").check()
    assert str(caught.value) == (
        f"there is no bucket nowhere-at-all at {server}. Try: lrtkit.queues.make(cloud), or mend its name"
    )


def test_refused_key_of_the_queue(env: dict[str, str], tmp_path: Path, refusing_url: str) -> None:
    """A key that SQS does not know is told by its public half."""
    with pytest.raises(Denied) as caught:
        connected(env, tmp_path, AWS_ENDPOINT_URL_SQS=refusing_url).check()
    queue = env["SQS_QUEUE_URL"].rsplit("/", 1)[-1]
    assert str(caught.value) == (
        f"the key KEYOFSQS was refused for queue {queue}: The security token is invalid. "
        "Try: mend SQS_AWS_ACCESS_KEY_ID and SQS_AWS_SECRET_ACCESS_KEY, or the key's policy"
    )


def test_refused_key_of_the_bucket(cloud: Cloud, env: dict[str, str], tmp_path: Path, refusing_url: str) -> None:
    """The same for the bucket's key."""
    with pytest.raises(
        Denied, match=r"the key KEYOFR2 was refused for bucket .*: There is no such key\. Try: mend R2_"
    ):
        connected(env, tmp_path, R2_S3_ENDPOINT_URL=refusing_url).check()


def test_connecting_makes_no_call(env: dict[str, str], tmp_path: Path) -> None:
    """A cloud can be had and shown while nothing answers."""
    cloud = connected(env, tmp_path, R2_S3_ENDPOINT_URL="http://127.0.0.1:9", AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")
    assert "bucket" in repr(cloud)


def test_make_brings_what_check_misses(bare_cloud: Cloud) -> None:
    """The advice of a missing queue is one that helps."""
    with pytest.raises(NotFound):
        bare_cloud.check()
    queues.make(bare_cloud)
    bare_cloud.check()
    queues.delete(bare_cloud)
