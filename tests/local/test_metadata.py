"""The metadata service of a node."""

import base64
import json

import pytest

IDLE = "import time; time.sleep(600)"


@pytest.fixture
def node(deploy):
    """A group with one instance that runs."""
    group = deploy(IDLE)
    return group, group.running()[0]


@pytest.fixture
def ask(cloud, http, node):
    """Make a call to the node's metadata service; return its status and JSON."""

    def ask(method, path, body=None, *, metadata="true"):
        url = cloud.salad_url.replace("/api/public", f"/nodes/{node[1].id}/v1/{path}")
        headers = {"Metadata": metadata} if metadata else {}
        answer = http.request(method, url, headers=headers, **({} if body is None else {"json": body}))
        return answer.status, answer.json() if answer.data else None

    return ask


def test_a_node_is_ready_while_its_worker_runs(ask):
    """GET status tells ready and started."""
    assert ask("GET", "status") == (200, {"ready": True, "started": True})


@pytest.mark.parametrize("metadata", [None, "yes"])
def test_the_metadata_header_is_required(ask, metadata):
    """Without the header the service refuses, so that no web page can ask it."""
    assert ask("GET", "status", metadata=metadata)[0] == 403


def test_the_deletion_cost_is_the_one_that_the_api_shows(ask, node):
    """What the worker sets is what a scale-in goes by."""
    assert ask("GET", "deletion-cost") == (200, {"deletion_cost": 0})
    assert ask("PUT", "deletion-cost", {"deletion_cost": 42}) == (204, None)
    assert ask("GET", "deletion-cost") == (200, {"deletion_cost": 42})
    assert node[0].instances()[0].deletion_cost == 42


@pytest.mark.parametrize("body", [{"deletion_cost": -1}, {"deletion_cost": 100_001}, {"deletion_cost": "1"}, {}, []])
def test_a_wrong_deletion_cost_is_refused(ask, body):
    """The deletion cost is a whole number from 0 to 100000."""
    assert ask("PUT", "deletion-cost", body)[0] == 400


def test_a_token_looks_like_a_jwt(ask, node):
    """The token has three parts, and names the instance."""
    _, claims, _ = ask("GET", "token")[1]["jwt"].split(".")
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"] == node[1].id


def test_a_worker_can_ask_to_be_moved(ask, node, eventually):
    """POST reallocate needs a reason, and brings a new instance on another machine."""
    group, first = node
    assert ask("POST", "reallocate", {"reason": ""})[0] == 400
    assert ask("POST", "reallocate", {"reason": "too slow"}) == (204, None)
    second = eventually(lambda: [instance for instance in group.running() if instance.id != first.id])[0]
    assert second.machine_id != first.machine_id


def test_an_unknown_node_has_no_metadata(cloud, http):
    """A node that never was is not found."""
    url = cloud.salad_url.replace("/api/public", "/nodes/nobody/v1/status")
    assert http.request("GET", url, headers={"Metadata": "true"}).status == 404
