"""The SaladCloud client against a server that misbehaves; `tests/local` has it against one that behaves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lrtkit.salad import Group, GroupStatus, InstanceState, SaladClient, SaladSettings
from lrtkit.wire.errors import BadInput, Conflict, Denied, NotFound, Throttled, Unavailable
from tests.serving import LOOPBACK, serving

HTML = "<html><body>Bad gateway</body></html>"
GROUP = {
    "id": "1",
    "name": "workers",
    "replicas": 2,
    "container": {"image": "x", "environment_variables": {"SQS_AWS_SECRET_ACCESS_KEY": "hush"}},
    "current_state": {"status": "running", "instance_status_counts": {"running_count": 2}},
}


class Server(ThreadingHTTPServer):
    """Gives the answers that it is told to, one after the other, and remembers what it was asked."""

    answers: list[tuple[int, Any, dict[str, str]]]
    asked: list[tuple[str, str, dict[str, str], Any]]


class Handler(BaseHTTPRequestHandler):
    """Takes every call."""

    server: Server

    def handle_any(self) -> None:
        """Remember the call and give the next answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = (self.command, self.path, dict(self.headers), json.loads(body) if body else None)
        self.server.asked.append(asked)
        status, content, headers = self.server.answers.pop(0)
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that the base class looks for

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(LOOPBACK, Handler)
    server.answers, server.asked = [], []
    with serving(server):
        yield server


@pytest.fixture
def pauses() -> list[float]:
    """How long the client has waited; it does not really."""
    return []


@pytest.fixture
def client(server: Server, pauses: list[float]) -> SaladClient:
    base_url = f"http://127.0.0.1:{server.server_address[1]}/api/public"
    settings = SaladSettings("acme", "demo", "a-secret-key", base_url, timeout_s=5)
    return SaladClient(settings, sleep=pauses.append)


def test_a_call_carries_key_and_name(server, client):
    """Each call has the key, a User-Agent of our own, and the guide's path."""
    server.answers = [(200, GROUP, {})]
    client.get_group("workers")
    method, path, headers, _ = server.asked[0]
    assert (method, path) == ("GET", "/api/public/organizations/acme/projects/demo/containers/workers")
    assert headers["Salad-Api-Key"] == "a-secret-key"
    assert headers["User-Agent"].startswith("lrtkit/")


def test_names_cannot_leave_their_place_in_the_path(server, client):
    """A name with a slash is sent as a name."""
    server.answers = [(404, {}, {})]
    with pytest.raises(NotFound):
        client.get_group("../../quotas")
    assert server.asked[0][1].endswith("/containers/..%2F..%2Fquotas")


def test_a_patch_is_sent_as_a_merge_patch(server, client):
    """PATCH has the content type that the API asks for."""
    server.answers = [(200, GROUP, {})]
    client.patch_group("workers", {"replicas": 3})
    _, _, headers, body = server.asked[0]
    assert (headers["Content-Type"], body) == ("application/merge-patch+json", {"replicas": 3})


def test_a_bad_gateway_in_html_is_tried_again(server, client, pauses):
    """A page of HTML in place of JSON is a failure of the moment."""
    server.answers = [(502, HTML, {"Content-Type": "text/html"})] * 2 + [(200, GROUP, {})]
    assert client.get_group("workers").replicas == 2
    assert pauses == [0.5, 1.0]


def test_a_lasting_failure_is_told(server, client, pauses):
    """After four attempts the error says which call it was, what came back and what to do."""
    server.answers = [(502, HTML, {"Content-Type": "text/html"})] * 4
    with pytest.raises(Unavailable, match=r"GET /organizations/acme/.*502 Bad Gateway.*text/html.*Try:"):
        client.get_group("workers")
    assert len(pauses) == 3
    assert len(server.asked) == 4


def test_retry_after_is_honoured(server, client, pauses):
    """A throttled call waits as long as it is told to, in seconds or until a date."""
    until = formatdate(time.time() + 20, usegmt=True)
    server.answers = [(429, {}, {"Retry-After": "7"}), (429, {}, {"Retry-After": until}), (200, GROUP, {})]
    client.get_group("workers")
    assert pauses[0] == 7
    assert pauses[1] == pytest.approx(20, abs=2)


def test_a_long_retry_after_is_left_to_the_caller(server, client, pauses):
    """Whoever calls decides about waiting for more than a minute."""
    server.answers = [(429, {"detail": "slow down"}, {"Retry-After": "600"})]
    with pytest.raises(Throttled, match="slow down"):
        client.get_group("workers")
    assert pauses == []


def test_a_creation_is_not_repeated_blindly(server, client):
    """A creation that failed may have taken effect, so only a throttled one is tried again; then it is looked for."""
    server.answers = [(429, {}, {}), (500, {}, {}), (404, {}, {})]
    with pytest.raises(Unavailable, match=r"POST .*500"):
        client.create_group({"name": "workers"})
    assert [method for method, *_ in server.asked] == ["POST", "POST", "GET"]


def test_a_creation_whose_answer_was_lost_is_read_back(server, client):
    """The group that is found by its name is the answer that was lost."""
    server.answers = [(502, HTML, {}), (200, GROUP, {})]
    assert client.create_group({"name": "workers"}).replicas == 2


def test_a_deletion_whose_answer_was_lost_is_read_back(server, client):
    """A group that is gone has been deleted; one that is still there has not."""
    server.answers = [(502, HTML, {}), (404, {}, {}), (502, HTML, {}), (200, GROUP, {})]
    client.delete_group("workers")
    with pytest.raises(Unavailable, match="DELETE"):
        client.delete_group("workers")


def test_a_reallocation_whose_answer_was_lost_is_read_back(server, client):
    """An instance that is gone or stops has been moved, and is not moved twice."""
    there = {"id": "a", "machine_id": "m", "state": "running"}
    moved: tuple[int, Any, dict[str, str]] = (200, {"instances": [{**there, "state": "stopping"}]}, {})
    server.answers = [(503, {}, {}), moved, (503, {}, {}), (200, {"instances": [there]}, {})]
    client.reallocate("workers", "a")
    with pytest.raises(Unavailable, match="reallocate"):
        client.reallocate("workers", "a")
    assert [method for method, *_ in server.asked] == ["POST", "GET", "POST", "GET"]


@pytest.mark.parametrize(("verb", "status"), [("start", "running"), ("start", "deploying"), ("stop", "stopped")])
def test_what_somebody_else_has_done_is_done(server, client, verb, status):
    """A start of a started group and a stop of a stopped one may be refused, and are no failure."""
    group = {**GROUP, "current_state": {"status": status}}
    server.answers = [(409, {"detail": "it is so already"}, {}), (200, group, {})]
    getattr(client, f"{verb}_group")("workers")


def test_a_start_that_is_refused_is_told(server, client):
    """A refusal of a group that still stands still is the caller's to know."""
    server.answers = [(400, {"detail": "no credit"}, {}), (200, {**GROUP, "current_state": {"status": "stopped"}}, {})]
    with pytest.raises(BadInput, match="no credit"):
        client.start_group("workers")


def test_a_function_has_less_patience(server, pauses):
    """Where time is short, a call is given up rather than waited for."""
    env = {"salad_org": "acme", "salad_project": "demo", "salad_api_key": "k"}
    base_url = f"http://127.0.0.1:{server.server_address[1]}/api/public"
    settings = SaladSettings.from_env({**env, "salad_base_url": base_url}, patience_s=2.5)
    server.answers = [(429, {}, {"Retry-After": "3"})]
    with pytest.raises(Throttled):
        SaladClient(settings, sleep=pauses.append).get_group("workers")
    assert (settings.timeout_s, pauses) == (2.5, [])


def test_prices_are_those_of_today(server, client):
    """A replica costs what its dearest GPU class does at its priority; a price that is none is left out."""
    prices = [{"priority": "batch", "price": "0.09"}, {"priority": "high", "price": "?"}, {}]
    classes = [{"id": "gpu", "name": "RTX 3090 (24 GB)", "prices": prices}, {"name": "of another world"}]
    group = Group.parse({**GROUP, "priority": "batch", "container": {"resources": {"gpu_classes": ["gpu"]}}})
    server.answers = [(200, {"items": classes}, {})]
    assert client.usd_per_hour(group) == 0.09
    without = Group.parse({**GROUP, "container": {"resources": {"cpu": 2, "memory": 4096}}})
    assert client.usd_per_hour(without) == pytest.approx(0.014)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadInput),
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (409, Conflict),
        (415, BadInput),
        (302, Unavailable),
    ],
)
def test_each_refusal_is_one_decision(server, client, status, error):
    """A refusal is the kit's own error, with the API's detail and without the key."""
    server.answers = [(status, {"title": "no", "detail": "because"}, {})] * 4
    with pytest.raises(error, match="because") as caught:
        client.get_group("workers")
    assert "a-secret-key" not in str(caught.value)


def test_nobody_there_is_unavailable(server, pauses):
    """A server that cannot be reached is tried again, and then told."""
    settings = SaladSettings("acme", "demo", "k", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="could not be reached"):
        SaladClient(settings, sleep=pauses.append).quota()
    assert len(pauses) == 3


@pytest.mark.parametrize("body", ["not json", "[]", ""])
def test_a_success_that_is_no_json_object_is_unavailable(server, client, body):
    """A page of somebody in between is no answer."""
    server.answers = [(200, body, {})]
    with pytest.raises(Unavailable, match="JSON"):
        client.get_group("workers")


def test_unknown_states_are_read(server, client):
    """A status or state that is new does not hinder, and older answers' name for the counts is known."""
    state = {"status": "hibernating", "instance_status_count": {"running_count": 4}}
    server.answers = [
        (200, {**GROUP, "current_state": state, "surprise": 1}, {}),
        (200, {"instances": [{"id": "a", "machine_id": "m", "state": "warping", "update_time": "soon"}]}, {}),
    ]
    group = client.get_group("workers")
    assert (group.status, group.counts.running) == (GroupStatus.UNKNOWN, 4)
    instance = client.list_instances("workers")[0]
    assert (instance.state, instance.updated_at, instance.ready) == (InstanceState.UNKNOWN, None, False)


def test_times_with_seven_digits_are_read(server, client):
    """SaladCloud's times have one digit more than Python keeps."""
    instance = {"id": "a", "machine_id": "m", "state": "running", "update_time": "2024-04-22T16:32:37.5794153+00:00"}
    server.answers = [(200, {"instances": [instance]}, {})]
    assert client.list_instances("workers")[0].updated_at == pytest.approx(1713803557.579415)


def test_keys_do_not_show(client, server):
    """Neither the client's settings nor a group's environment shows a key."""
    server.answers = [(200, GROUP, {})]
    assert "hush" not in repr(client.get_group("workers"))
    assert "a-secret-key" not in repr(client.settings)


def test_settings_come_from_the_autoscalers_environment():
    """The variables of the guide are read, and all that are missing are named at once."""
    env = {"salad_org": "acme", "salad_project": "demo", "salad_api_key": "k"}
    assert SaladSettings.from_env(env).base_url == "https://api.salad.com/api/public"
    assert SaladSettings.from_env({**env, "salad_base_url": "http://127.0.0.1:9/x/"}).base_url == "http://127.0.0.1:9/x"
    with pytest.raises(BadInput, match="salad_org, salad_api_key"):
        SaladSettings.from_env({"salad_project": "demo"})
