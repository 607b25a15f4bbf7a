"""How objects show themselves: as HTML in a notebook and as words in a terminal, with everything escaped."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from lrtkit.jobs.frames import Receipt
from lrtkit.scaling import Action, Decision, Outcome, Policy, Snapshot, Step, decide
from lrtkit.shown import Sentence, card, verdict

EVIL = "<script>alert(1)</script>"
SEEN = Snapshot(3, 1, 2, replicas=4, status=EVIL, at=60.0, running=3, coming=1)


def shown(thing: Any) -> tuple[str, str]:
    """What a notebook gets of it, as HTML and as plain text."""
    bundle, _ = DisplayFormatter().format(thing)
    return bundle.get("text/html", ""), bundle["text/plain"]


def receipt(*outcomes: str) -> Receipt:
    index = pd.Index([f"exp/{number}" for number in range(len(outcomes))], name="job_id")
    return Receipt({"outcome": pd.Categorical(outcomes), "state": "queued"}, index=index)


@pytest.mark.parametrize(
    "thing",
    [
        Decision(1, Action.SCALE, (EVIL,)),
        Step(SEEN, Decision(1, Action.NOTHING, (EVIL,)), Outcome.CHANGED, EVIL),
        Sentence(EVIL),
        receipt(EVIL),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_whatever_others_wrote_is_escaped(thing: Any) -> None:
    """A name or an answer that holds HTML is shown as it was written."""
    assert EVIL not in shown(thing)[0]
    assert "&lt;script&gt;" in shown(thing)[0]


def test_cards_and_verdicts_escape_every_part() -> None:
    """Titles, names, facts, reasons and what was seen."""
    assert "<script>" not in card(EVIL, {EVIL: EVIL}) + verdict(EVIL, [EVIL], EVIL)


def test_prices_are_no_formula() -> None:
    """JupyterLab would typeset what stands between two dollar signs."""
    seen = Snapshot(50, 10, 0, replicas=10, status="running", running=10, usd_per_hour=0.16)
    html, _ = shown(decide(seen, Policy(max_replicas=100, max_usd_per_hour=3)))
    assert html.count("<span>$</span>") == html.count("$") == 2


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (Decision(4, Action.START, ()), "Start with 4 replicas"),
        (Decision(1, Action.SCALE, ()), "Scale to 1 replica"),
        (Decision(4, Action.NOTHING, ()), "Keep 4 replicas"),
        (Decision(0, Action.STOP, ()), "Stop the group"),
        (Decision(0, Action.NOTHING, (), alert=True), "Keep 0 replicas, and a person should look"),
    ],
)
def test_a_decision_shows_what_to_do(decision: Decision, told: str) -> None:
    """What is to be done stands first, in a few words."""
    assert f"<b>{told}</b>" in shown(decision)[0]


def test_a_decision_shows_each_of_its_reasons() -> None:
    """Every reason is a point of its own."""
    decision = decide(Snapshot(50, 10, 0, replicas=10, status="running", running=10), Policy(max_replicas=20))
    assert len(decision.reasons) > 1
    assert all(f"<li>{reason}</li>" in shown(decision)[0] for reason in decision.reasons)


def test_a_step_shows_what_came_of_it_and_what_was_seen() -> None:
    """Verdict and outcome, reasons and the note, and when which numbers were read."""
    seen = Snapshot(3, 1, 2, replicas=4, status="running", at=60.0, running=3, coming=1)
    html, _ = shown(Step(seen, Decision(6, Action.SCALE, ("why not",)), Outcome.CHANGED, "Somebody was faster."))
    assert "<b>Scale to 6 replicas: changed by somebody else</b>" in html
    assert "<li>why not</li><li>Somebody was faster.</li>" in html
    assert "1970-01-01T00:01:00.000Z: 5 jobs waiting, 1 in flight; group running, set to 4 replicas: 3 running" in html


@pytest.mark.parametrize(
    ("outcome", "told"), [(Outcome.DONE, "because. Done."), (Outcome.DRY_RUN, "because (dry run).")]
)
def test_a_step_says_whether_it_was_taken(outcome: Outcome, told: str) -> None:
    """In a terminal, a step that was done reads differently from one that was only thought of."""
    assert str(Step(SEEN, Decision(6, Action.SCALE, ("because",)), outcome)) == told


def test_a_receipt_counts_above_its_rows() -> None:
    """How many were sent and how many were known, and whatever speaks against the plan, in HTML and as text."""
    three = receipt("known", "sent", "known")
    three.attrs["notes"] = ["it takes 40 days & more"]
    html, text = shown(three)
    assert html.startswith("<p><b>3 jobs: 2 known, 1 sent</b></p><ul><li>it takes 40 days &amp; more</li></ul>")
    assert html.count("<tr") == 2 + 3
    assert text.startswith("3 jobs: 2 known, 1 sent.\nit takes 40 days & more\n")
    assert "exp/2    known  queued" in text


def test_a_long_receipt_shows_its_ends() -> None:
    """Of thousands of rows the first and the last are shown, and how many there are."""
    html, text = shown(receipt(*["sent"] * 5000))
    assert "5,000 jobs: 5,000 sent" in html
    assert html.count("<tr") < 20
    assert "exp/4999" in html
    assert len(text.splitlines()) < 20


def test_a_receipt_is_a_frame_like_any_other() -> None:
    """Whatever is made of it is a plain frame, and pandas' own choice of form is heeded."""
    two = receipt("sent", "sent")
    assert isinstance(two, pd.DataFrame)
    assert type(two.head(1)) is type(two.query("outcome == 'sent'")) is pd.DataFrame
    assert two["outcome"].value_counts().to_dict() == {"sent": 2}
    assert repr(receipt("sent")).startswith("1 job: 1 sent.")
    with pd.option_context("display.notebook_repr_html", False):
        assert shown(two)[0] == ""


def test_a_sentence_is_words_without_quotes() -> None:
    """A cell that ends with it shows prose; it stays a text."""
    assert shown(Sentence("all is well & done")) == ("<p>all is well &amp; done</p>", "all is well & done")
    assert Sentence("a") + "b" == "ab"
