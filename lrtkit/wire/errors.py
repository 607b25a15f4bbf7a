"""Every error of the kit, one class for each decision that the caller has to take.

::

    LrtError
    ├── BadInput (also a ValueError)   mend the input: table, settings, env file
    │   ├── BadTable                   mend rows of a table (in `lrtkit.jobs`, as it holds them in a DataFrame)
    │   ├── InvalidJob                 the job can never run: dead-letter it at once
    │   ├── NotInstalled               a package is missing: install it, or take another Python
    │   └── PoisonMessage              the message is no job: dead-letter it as it is
    ├── Unavailable                    the service did not answer: wait, then try again
    │   └── Throttled                  the service asks for fewer calls: wait longer
    ├── Denied                         the key may not do this: mend the policy or the env file
    ├── NotFound                       the queue or bucket does not exist: create it or mend its name
    ├── NotFinished                    jobs still wait or run: wait longer, or look at their status
    ├── Conflict                       somebody else changed the object first: read it again
    ├── LeaseLost                      the job belongs to somebody else now: stop, write nothing
    │   └── Fenced                     a newer generation has the record: the same, known from the record
    ├── LeaseCapped                    the lease cannot grow any more: hand the job over while it holds
    └── DamagedFile                    a stored file is not what was saved: fall back to the previous checkpoint
"""


class LrtError(Exception):
    """Base of all errors of the kit."""


class BadInput(LrtError, ValueError):
    """Something that the user gave is wrong; nothing has been done."""


class InvalidJob(BadInput):
    """The job's fields can never give a result; a workload's ``validate`` raises it."""


class NotInstalled(BadInput):
    """A part of the kit needs a package that this Python does not have."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the sentence alone, which forty lines of imports would bury."""
        return [f"{type(self).__name__}: {self}"]


class PoisonMessage(BadInput):
    """A message that is no job: no JSON object, no usable ``job_id``, or another job's id."""


class Unavailable(LrtError):
    """A service could not be reached, timed out or failed on its side."""


class Throttled(Unavailable):
    """A service refused the call because there were too many."""


class Denied(LrtError):
    """The key is unknown, expired or not allowed to make this call."""


class NotFound(LrtError):
    """The queue or bucket that the settings name does not exist."""


class NotFinished(LrtError, TimeoutError):
    """The time to wait is over, and some jobs have not ended."""


class Conflict(LrtError):
    """A conditional write was refused: the object is not the one that was read."""


class LeaseLost(LrtError):
    """The lease has run out or the message is gone; another worker may hold the job."""


class Fenced(LeaseLost):
    """The record carries a newer generation: another worker has claimed the job."""


class LeaseCapped(LrtError):
    """The queue will not extend the lease beyond twelve hours from its receive."""


class DamagedFile(LrtError):
    """A stored file is missing or its content does not have the hash it is stored under."""
