"""Every key of the bucket, on one page (contract 3)."""

from __future__ import annotations

import re

RECORD_NAME = "checkpoint.json"
RESULT_NAME = "result.txt"
ENVELOPE = "_lrt"
"""What the kit keeps in a record lies under this name, beside the workload's state."""

LIST_END = ".jsonl"
MARK_END = ".sent"

RESERVED = frozenset({"_submissions", "files", "artifacts", RECORD_NAME, RESULT_NAME})
"""Names that the bucket needs below a job or an experiment; a job of such a name would not be found again."""

LONGEST_NAME = 512
"""With the longest job id a key stays under the 1,024 bytes of S3 for names of ASCII."""


PROBE = "_lrt/probe"
"""A key that nobody writes; to read it is to see whether the bucket answers."""

DOCTOR = "_lrt/doctor"
"""Where ``lrtkit.queues.doctor`` tries what a key may do, as if it were a job."""


def record(job_id: str) -> str:
    """Return the key of a job's record."""
    return f"{job_id}/{RECORD_NAME}"


def result(job_id: str) -> str:
    """Return the key of a job's result as JSON text."""
    return f"{job_id}/{RESULT_NAME}"


def file(job_id: str, sha256: str) -> str:
    """Return the key of a checkpoint's file, named by its content."""
    return f"{files(job_id)}{sha256}"


def files(job_id: str) -> str:
    """Return the prefix of all files of a job's checkpoints."""
    return f"{job_id}/files/"


def is_file(job_id: str, key: str) -> bool:
    """Tell whether a key is that of a file of this job, and not of a job with a longer id that begins like it."""
    return re.fullmatch("[0-9a-f]{64}", key.removeprefix(files(job_id))) is not None


def artifact(job_id: str, generation: int, name: str) -> str:
    """Return the key of one file of a result."""
    return f"{job_id}/artifacts/{generation}/{name}"


def submission(experiment: str, time: str) -> str:
    """Return the key of the list of what was submitted at a time."""
    return f"{submissions(experiment)}{time}{LIST_END}"


def sent(submission: str) -> str:
    """Return the key of the mark that the queue has taken all of a submission, given by its own key."""
    return submission.removesuffix(LIST_END) + MARK_END


def body(job_id: str, sha256: str) -> str:
    """Return the key of a job as it was submitted, where it is too large for a message."""
    return f"{submissions(job_id)}{sha256}.json"


def submissions(experiment: str) -> str:
    """Return the prefix of all that was submitted to an experiment, or of what was submitted of one job."""
    return f"{experiment}/_submissions/"


def readings(queue_name: str, day: str) -> str:
    """Return the key of one day's readings of the autoscaler with its decisions, a line each."""
    return f"{readings_of(queue_name)}{day}{LIST_END}"


def readings_of(queue_name: str) -> str:
    """Return the prefix of all readings of the autoscaler for a queue."""
    return f"_autoscaler/{queue_name}/"


def depths(queue_name: str, at: str) -> str:
    """Return the key of the readings of a queue's depth in an hour, a line each; ``at`` is a time in it."""
    return f"{depths_of(queue_name)}{at[:13]}{LIST_END}"


def depths_of(queue_name: str) -> str:
    """Return the prefix of all readings of a queue's depth."""
    return f"_depth/{queue_name}/"


def is_submission(key: str) -> bool:
    """Tell whether a key is that of a list of what was submitted."""
    return key.endswith(LIST_END) and "/_submissions/" in key


def job_of(key: str) -> str | None:
    """Return the job whose record or result a key holds; None for every other key."""
    job_id, _, name = key.rpartition("/")
    return job_id if name in {RECORD_NAME, RESULT_NAME} and RESERVED.isdisjoint(job_id.split("/")) else None


def is_inside(name: str) -> bool:
    """Tell whether a file's name is a relative path that cannot leave its folder, of printable characters."""
    parts = name.split("/")
    return len(name) <= LONGEST_NAME and name.isprintable() and not {"", ".", ".."} & set(parts)
