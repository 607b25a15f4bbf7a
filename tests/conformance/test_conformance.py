"""The rules of SQS and S3 on the twins and on servers, with every difference declared."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers
from tests.conformance import matrix
from tests.conformance.catalogue import ALL
from tests.conformance.differences import DIFFERENCES, expected
from tests.conformance.places import PLACES, Place
from tests.conformance.rules import Outcome, Rule

TESTS = Path(__file__).parents[1]
CASES = [
    pytest.param(place, rule, id=f"{place.name}-{rule.id}")
    for place in PLACES
    if place.is_here()
    for rule in place.mine(ALL)
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Place], dict[str, Outcome]]:
    """Return what came of all rules at a place; they are tried together, for most of them wait."""
    return functools.cache(lambda place: place.outcomes(ALL, tmp_path_factory.mktemp(place.name)))


@pytest.mark.parametrize(("place", "rule"), CASES)
def test_a_rule_comes_out_as_declared(
    place: Place, rule: Rule, outcomes: Callable[[Place], dict[str, Outcome]]
) -> None:
    """A rule holds, unless the table of differences says that it does not, and then it does not."""
    outcome = outcomes(place)[rule.id]
    assert outcome.verdict is expected(place.name, rule), f"{rule.source}\n{outcome.seen}"


def test_what_the_kit_relies_on_holds_on_the_twin() -> None:
    """No difference of the twin is declared at all, so that the first test proves it."""
    assert not DIFFERENCES["twin"]
    assert len([rule for rule in ALL if rule.relied]) > 50


def test_every_difference_is_of_a_rule() -> None:
    """The table names rules and places that there are."""
    assert set(DIFFERENCES) == {place.name for place in PLACES}
    names = {place.name: {rule.id for rule in place.mine(ALL)} for place in PLACES}
    assert {place: set(found) - names[place] for place, found in DIFFERENCES.items() if set(found) - names[place]} == {}


def test_the_matrix_is_up_to_date() -> None:
    """The table that is kept says what the rules and the declared differences say. Try: make conformance."""
    assert matrix.PATH.read_text() == matrix.render(matrix.declared())


def test_nothing_else_is_proven_on_moto() -> None:
    """It gets wrong what the kit relies on, so that no other test uses it."""
    users = {path.name for path in TESTS.rglob("*.py") if "moto" in _imported(path)}
    assert users == {"places.py"}


@pytest.mark.skipif(not servers.has_second_opinion(), reason="not installed here. Try: make second-opinion")
def test_there_is_a_second_opinion() -> None:
    """An SQS and an S3 of others were tried too."""
    assert {"localstack", "SeaweedFS"} <= {place.name for place in PLACES if place.is_here()}


def _imported(path: Path) -> set[str]:
    """Return the packages that a module imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
