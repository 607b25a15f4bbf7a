"""The eleven invariants of the design and two more, each as a function that finds what breaks it.

They know nothing of the code: they read what lay in the bucket and who wrote it when, what the
queue took and gave, and what the workloads say they computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.simulation.evidence import Breaches, Evidence
from tests.simulation.invariants.costs import budget, scaling
from tests.simulation.invariants.ends import everything_ends, final_is_final, no_loss, one_commit, same_set
from tests.simulation.invariants.failures import interruptions_are_no_failures, no_false_alarm
from tests.simulation.invariants.work import fence, files_are_there, lost_work, steps_never_go_back

CHECKERS: dict[str, Callable[[Evidence], Breaches]] = {
    checker.__name__: checker
    for checker in (
        no_loss,
        one_commit,
        fence,
        files_are_there,
        steps_never_go_back,
        lost_work,
        interruptions_are_no_failures,
        no_false_alarm,
        everything_ends,
        same_set,
        scaling,
        final_is_final,
        budget,
    )
}


def check(found: Evidence) -> Iterator[tuple[str, str]]:
    """Return every breach, with the name of the invariant."""
    for name, checker in CHECKERS.items():
        for breach in checker(found):
            yield name, breach
