"""Tries, on the real endpoints and without harm, what the keys of an env file must and must not be able to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lrtkit.queues.policies import Role
from lrtkit.queues.table import Table
from lrtkit.queues.trials import bucket, queue, settings
from lrtkit.queues.trials.findings import Finding, Verdict
from lrtkit.queues.trials.patient import Patient
from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import read_env_file

__all__ = ["Diagnosis", "Finding", "Verdict", "doctor", "refused"]


@dataclass(frozen=True)
class Diagnosis(Table):
    """What was tried, how it went, and what to do about it; a row a try."""

    findings: tuple[Finding, ...]

    columns = ("check", "of", "verdict", "remedy")

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.wrong

    @property
    def wrong(self) -> list[Finding]:
        """What is wrong."""
        return [finding for finding in self.findings if finding.verdict is Verdict.WRONG]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The findings as words."""
        return [(each.check, each.subject, str(each.verdict), each.remedy) for each in self.findings]

    def __repr__(self) -> str:
        return f"{self.text()}{len(self.findings)} checks, {len(self.wrong)} wrong."


def doctor(
    env_file: str | Path, *, role: Role | str | None = None, plan_days: float | None = None, prefix: str = ""
) -> Diagnosis:
    """Try everything that an env file's keys must be able to do, and what they must not.

    Nothing is sent, received or deleted, and one small object under ``_lrt/doctor/`` is all that is
    written. ``role`` is told by the file's name where that is submitter, worker, reader or autoscaler;
    ``plan_days`` is how long the campaign is to take, and ``prefix`` all that a temporary key may use of
    the bucket, such as ``argon/``. What cannot be tried without harm, such as to
    purge a queue, is not tried. Raises BadInput where the file is not complete, or open to others.
    """
    path = Path(env_file)
    patient = Patient.of(read_env_file(path), _role(path, role), plan_days=plan_days, prefix=prefix)
    return Diagnosis(tuple(_findings(patient)))


def refused(env_file: str | Path, role: Role) -> list[Finding]:
    """Return what the holder of an env file must be able to do with the queues, and is refused."""
    needed = [each for each in queue.tries(Patient.of(read_env_file(env_file), role)) if each.must_work]
    return [finding for each in needed if (finding := each.finding(enforced=True)).is_refusal]


def _role(path: Path, role: Role | str | None) -> Role:
    try:
        return Role(role or path.stem)
    except ValueError as error:
        names = ", ".join(Role)
        raise BadInput(f"{role or path.name} tells no role. Try: role= one of {names}") from error


def _findings(patient: Patient) -> Iterator[Finding]:
    yield from settings.findings(patient)
    yield from queue.findings(patient)
    yield from bucket.findings(patient)
