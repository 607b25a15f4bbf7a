"""Histories of one record: several holders, who know it as they last read it, and people who cancel and retry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lrtkit.wire import keys, ledger
from lrtkit.wire.clock import iso
from lrtkit.wire.errors import Conflict
from lrtkit.wire.ledger import Entry
from lrtkit.wire.record import Cause, Failure, Holder, Record, Saved, State
from tests.simulation.clock import START
from tests.simulation.cloud import CloudTwin

JOB = "exp/job"
FAILURE = Failure("ValueError", "no")
HOLDERS = st.sampled_from(["a", "b", "c"])
CAUSES = st.sampled_from([Cause.STOPPED, Cause.HANDOVER, Cause.WORKLOAD])
FINAL = {"done", "failed", "cancelled"}

Change = Callable[[Record], Record]


class Histories(RuleBasedStateMachine):
    """The kit's own transitions and compare-and-swap, over the twin of a bucket; the rules read its JSON alone."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = START
        self.store = CloudTwin(now=lambda: self.time_s).store
        self.views: dict[str, Entry] = {}
        self.holds: dict[str, int] = {}
        """The generation that each holder believes to hold."""
        self.told: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.claims = self.interruptions = self.failures = self.reopened = 0

    @initialize()
    def nothing(self) -> None:
        """Begin without a record."""
        self.views = {name: Entry(None, None) for name in "abc"}

    @rule(name=HOLDERS)
    def look(self, name: str) -> None:
        """Read the record, and hold nothing of it."""
        self.views[name] = ledger.read(self.store, JOB)
        self.holds.pop(name, None)

    @rule(name=HOLDERS)
    def claim(self, name: str) -> None:
        """Swap in the next generation over what was last read, however long ago."""
        record = self.views[name].record or Record(State.WAITING)
        if record.state.final:
            return
        was_open = record.open_attempt is not None
        claimed = record.claimed(Holder(name, "m"), fingerprint="f", steps=99, now=self._now())
        if self._swap(name, claimed):
            self.holds[name] = claimed.generation
            self.claims += 1
            self.interruptions += was_open

    @rule(name=HOLDERS, steps=st.integers(0, 5))
    def save(self, name: str, steps: int) -> None:
        """Commit a checkpoint, some steps after the last."""
        self._write(name, lambda record: record.saved(Saved({"step": _step(record) + steps}), now=self._now()))

    @rule(name=HOLDERS, cause=CAUSES)
    def interrupt(self, name: str, cause: Cause) -> None:
        """End an attempt by an interruption."""
        self.interruptions += self._write(name, lambda record: record.interrupted(cause, now=self._now()), last=True)

    @rule(name=HOLDERS, final=st.booleans())
    def fail(self, name: str, final: bool) -> None:
        """End an attempt by a failure."""
        self.failures += self._write(
            name, lambda record: record.failed(FAILURE, final=final, now=self._now()), last=True
        )

    @rule(name=HOLDERS, result=st.none() | st.integers() | st.text(max_size=3))
    def finish(self, name: str, result: Any) -> None:
        """End the job, unless somebody wants it cancelled."""

        def change(record: Record) -> Record:
            now = self._now()
            return record.cancelled(now=now) if record.cancel_requested_at else record.done(result, {}, now=now)

        self._write(name, change, last=True)

    @rule()
    def cancel(self) -> None:
        """Cancel the job as a researcher does: at once where it waits, by a wish where it runs."""
        entry = ledger.read(self.store, JOB)
        record = entry.record or Record(State.WAITING)
        if not record.state.final:
            wished = record.cancel_requested(now=self._now())
            self._put(entry, wished if record.state is State.RUNNING else wished.cancelled(now=self._now()))

    @precondition(lambda self: self.told.get("state") in FINAL)
    @rule()
    def retry(self) -> None:
        """Reopen a job that has failed or was cancelled."""
        entry = ledger.read(self.store, JOB)
        if entry.record and entry.record.state in {State.FAILED, State.CANCELLED}:
            self.reopened += 1
            self.failures = 0
            self._put(entry, entry.record.reopened(now=self._now()))

    @invariant()
    def the_bucket_agrees(self) -> None:
        """What lies there is what was written last, and what the rules of the design allow after what was before."""
        item = self.store.get(keys.record(JOB))
        if item is None:
            return
        before, before_state = self.told, self.state
        self.state = json.loads(item.body)
        now = self.told = self.state.pop("_lrt")
        assert Record.from_bytes(item.body).to_bytes() == item.body
        self._check_sums(now)
        if before:
            self._check_change(before, now)
            assert self.state.get("step", 0) >= before_state.get("step", 0), "the step went back"

    def _check_sums(self, now: dict[str, Any]) -> None:
        counts, outcomes = now["counts"], [attempt["outcome"] for attempt in now["attempts"]]
        assert now["generation"] == counts["attempts"] == self.claims
        assert counts["interruptions"] == sum(now["interruptions"].values()) == self.interruptions
        assert counts["failures"] == self.failures
        assert outcomes.count("done") == (now["state"] == "done")
        assert outcomes.count(None) == (now["state"] == "running") <= (outcomes[-1:] == [None])

    def _check_change(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        assert now["generation"] in {before["generation"], before["generation"] + 1}
        if before["state"] in FINAL and now != before:
            assert self.reopened, "a final state changed without a redrive"
            assert before["state"] != "done"
            assert now["state"] == "waiting"

    def _write(self, name: str, change: Change, *, last: bool = False) -> bool:
        """Write as a generation's holder does: again where only a wish came between, never after another's claim."""
        while name in self.holds:
            record = self.views[name].record
            if record is None or record.generation != self.holds[name] or record.state.final:
                del self.holds[name]
            elif self._swap(name, change(record)):
                assert self.holds[name] == self.claims, "an older generation has written"
                if last:
                    del self.holds[name]
                return True
            else:
                self.views[name] = ledger.read(self.store, JOB)
        return False

    def _swap(self, name: str, wanted: Record) -> bool:
        self.time_s += 2  # a bucket takes one write a second
        try:
            self.views[name] = ledger.swap(self.store, JOB, self.views[name], wanted)
        except Conflict:
            return False
        return True

    def _put(self, entry: Entry, wanted: Record) -> None:
        self.time_s += 2
        ledger.swap(self.store, JOB, entry, wanted)

    def _now(self) -> str:
        return iso(self.time_s)


def _step(record: Record) -> int:
    step = record.checkpoint.step if record.checkpoint else None
    return int(step or 0)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40)
