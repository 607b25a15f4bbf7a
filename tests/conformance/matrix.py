"""The matrix: what came of every rule on every server, as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from tests.conformance.catalogue import ALL
from tests.conformance.differences import DIFFERENCES, expected
from tests.conformance.places import PLACES
from tests.conformance.rules import Rule, Verdict

PATH = Path(__file__).with_name("MATRIX.md")
KEPT = ("twin", "ministack", "moto", "localstack", "SeaweedFS")
"""Those that anybody can run."""

Verdicts = Mapping[str, Mapping[str, Verdict]]
"""By place and by rule."""

HEAD = """\
# Which server keeps which rule of SQS and S3

Written by `make conformance`; a test keeps it true. Each rule is a function in this folder, named as here, whose
docstring cites the documentation. **Bold** rules are those that the kit relies on: they hold on the twins, on which
the simulation runs. `yes`: as documented. `no`: not so, for the reason below. `-`: it would take too long there, or
is not what the server is for.

With keys in `CONFORMANCE_SQS_KEY_ID`, `…_SECRET` and `…_REGION`, or `CONFORMANCE_R2_KEY_ID`, `…_SECRET` and `…_URL`,
the rules are tried on AWS and on R2 too, in queues and a bucket of their own, which are deleted afterwards.
"""

TITLES = {
    "sqs_sending": "SQS: sending",
    "sqs_receiving": "SQS: receiving",
    "sqs_leases": "SQS: leases",
    "sqs_dead_letters": "SQS: dead letters",
    "sqs_queues": "SQS: queues",
    "s3_objects": "S3: objects",
    "s3_lists": "S3: listings, parts, buckets",
}


def declared() -> Verdicts:
    """Return the verdicts that are no news."""
    places = [place for place in PLACES if place.name in KEPT]
    return {place.name: {rule.id: expected(place.name, rule) for rule in place.mine(ALL)} for place in places}


def render(verdicts: Verdicts) -> str:
    """Return the matrix as Markdown."""
    lines = [HEAD, *_tables(verdicts), *_alone(verdicts), *_reasons(verdicts)]
    return "\n".join(lines).rstrip() + "\n"


def _tables(verdicts: Verdicts) -> Iterator[str]:
    for module, rules in groupby(ALL, key=lambda rule: rule.check.__module__.rsplit(".", 1)[-1]):
        yield f"## {TITLES[module]}\n"
        yield _row("rule", *verdicts)
        yield _row("---", *["---"] * len(verdicts))
        for rule in rules:
            name = f"**{rule.id}**" if rule.relied else rule.id
            yield _row(name, *(str(found.get(rule.id, "-")) for found in verdicts.values()))
        yield ""


def _alone(verdicts: Verdicts) -> Iterator[str]:
    """Tell what the kit relies on and only the twin shows."""
    alone = [rule for rule in ALL if rule.relied and not _elsewhere(rule, verdicts)]
    yield "## Relied on, and shown by the twin alone\n"
    yield from (f"- {rule.id}: {rule.source}" for rule in alone)
    yield ""


def _elsewhere(rule: Rule, verdicts: Verdicts) -> bool:
    return any(found.get(rule.id) is Verdict.HOLDS for place, found in verdicts.items() if place != "twin")


def _reasons(verdicts: Verdicts) -> Iterator[str]:
    for place, found in verdicts.items():
        differing = [rule for rule in ALL if found.get(rule.id) is Verdict.DIFFERS]
        if differing:
            yield f"## Where {place} differs\n"
            yield from (
                f"- {_named(rule)}: {DIFFERENCES.get(place, {}).get(rule.id, 'not known yet')}" for rule in differing
            )
            yield ""


def _named(rule: Rule) -> str:
    return f"**{rule.id}**" if rule.relied else rule.id


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
