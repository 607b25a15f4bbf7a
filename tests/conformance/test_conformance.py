"""The rules of SQS and S3 on the twins and on servers, with every difference declared."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conformance import matrix
from tests.conformance.catalogue import ALL
from tests.conformance.differences import DIFFERENCES, expected
from tests.conformance.places import PLACES, Place, on_twins
from tests.conformance.rules import Outcome, Rule, Verdict

TESTS = Path(__file__).parents[1]
SERVERS = [
    pytest.param(
        place,
        id=place.name,
        marks=pytest.mark.skipif(not place.is_here(), reason=f"{place.name} is not to be had here: see MATRIX.md"),
    )
    for place in PLACES[1:]
]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_a_rule_holds_on_the_twin(rule: Rule) -> None:
    """Whatever the documentation says, the twins do."""
    assert on_twins(rule) == Outcome(Verdict.HOLDS), rule.source


@pytest.mark.parametrize("place", SERVERS)
def test_a_server_differs_as_declared(place: Place, tmp_path: Path) -> None:
    """Each rule holds on it, unless the table of differences says that it does not, and then it does not."""
    outcomes = place.outcomes(ALL, tmp_path)
    news = {
        rule.id: outcomes[rule.id]
        for rule in place.mine(ALL)
        if outcomes[rule.id].verdict is not expected(place.name, rule)
    }
    assert news == {}


def test_what_the_kit_relies_on_holds_on_the_twin() -> None:
    """No difference of the twin can be declared, so that the first test proves it."""
    assert "twin" not in DIFFERENCES
    assert len([rule for rule in ALL if rule.relied]) > 50


def test_every_difference_is_of_a_rule() -> None:
    """The table names rules and places that there are."""
    names = {place.name: {rule.id for rule in place.mine(ALL)} for place in PLACES}
    assert {place: set(found) - names[place] for place, found in DIFFERENCES.items() if set(found) - names[place]} == {}


def test_the_matrix_is_up_to_date() -> None:
    """The table that is kept says what the rules and the declared differences say. Try: make conformance."""
    assert matrix.PATH.read_text() == matrix.render(matrix.declared())


def test_nothing_else_is_proven_on_moto() -> None:
    """It gets wrong what the kit relies on in queues and buckets: other tests use it for IAM and Lambda alone."""
    users = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if "moto" in _imported(path)}
    assert users == {"conformance/places.py", "function/conftest.py", "queues/test_policies.py"}


def _imported(path: Path) -> set[str]:
    """Return the packages that a module imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
