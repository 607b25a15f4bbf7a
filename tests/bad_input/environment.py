"""Env files and settings."""

from __future__ import annotations

from tests.bad_input.table import Section

GOOD = {
    "SQS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs.fifo",
    "SQS_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs-dead.fifo",
    "SQS_AWS_REGION": "us-east-1",
    "SQS_AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "SQS_AWS_SECRET_ACCESS_KEY": "queue-secret-that-nobody-may-see",
    "R2_S3_ENDPOINT_URL": "https://0123456789abcdef.r2.cloudflarestorage.com",
    "R2_BUCKET_NAME": "jobs",
    "R2_AWS_ACCESS_KEY_ID": "R2EXAMPLE",
    "R2_AWS_SECRET_ACCESS_KEY": "bucket-secret-that-nobody-may-see",
}
TEXT = "".join(f"{name}={value}\n" for name, value in GOOD.items())

FILES = Section(
    "Env files",
    '`lrtkit.connect("submitter.env")`: raised.',
    {
        "no file": None,
        "nothing in it": "",
        "open to others": (TEXT, 0o644),
        "a line of YAML": TEXT.replace("R2_BUCKET_NAME=", "R2_BUCKET_NAME: "),
        "a name with a hyphen": TEXT + "R2-BUCKET=x\n",
        "a command": TEXT + "source other.env\n",
        "a quotation mark that is never closed": TEXT.replace("=jobs\n", '="jobs\n'),
        "UTF-16, as an old editor saves it": TEXT.encode("utf-16"),
        "binary": b"\x00\xff\xfe\x80",
        "a secret that is empty": TEXT.replace("=bucket-secret-that-nobody-may-see", "="),
        "a variable that is misspelt": TEXT.replace("R2_BUCKET_NAME", "R2_BUCKET"),
        "three that are missing": "\n".join(
            line for line in TEXT.splitlines() if "R2_AWS" not in line and "_REGION" not in line
        ),
    },
)

FINE = {
    "a byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "line ends of Windows": TEXT.replace("\n", "\r\n").encode(),
    "export, quotes, spaces and notes": (
        "# mine\n\n" + "".join(f'  export {name} = "{value}"  \n' for name, value in GOOD.items())
    ).encode(),
}
"""Files that look odd and are as good as any."""

VALUES = Section(
    "Values of the environment",
    "Queue and bucket, as worker and submitter read them: told all at once; the worker leaves with 78.",
    {
        "a queue's name in place of its URL": {"SQS_QUEUE_URL": "jobs.fifo"},
        "a queue that is no FIFO queue": {"SQS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"},
        "an ARN": {"SQS_DLQ_URL": "arn:aws:sqs:us-east-1:123456789012:jobs-dead.fifo"},
        "one queue as both": {"SQS_DLQ_URL": GOOD["SQS_QUEUE_URL"]},
        "an endpoint without https": {"R2_S3_ENDPOINT_URL": "0123456789abcdef.r2.cloudflarestorage.com"},
        "an endpoint for boto3 that is a word": {"AWS_ENDPOINT_URL_SQS": "local"},
        "a bucket's URL in place of its name": {"R2_BUCKET_NAME": "https://example.com/jobs"},
        "a region with a space": {"SQS_AWS_REGION": "us east 1"},
        "nothing at all": dict.fromkeys(GOOD, ""),
    },
)

SETTINGS = Section(
    "The worker's settings",
    "`LRT_…` as `python -m worker` reads it: told all at once; the worker leaves with 78.",
    {
        "a lease of nothing": {"LRT_LEASE_SECONDS": "0"},
        "a lease of a day": {"LRT_LEASE_SECONDS": "86400"},
        "a lease in words": {"LRT_LEASE_SECONDS": "two minutes"},
        "no number": {"LRT_GRACE_SECONDS": "nan"},
        "an infinite hand-over": {"LRT_HANDOVER_SECONDS": "inf"},
        "no failure allowed": {"LRT_MAX_FAILURES": "0"},
        "failures below zero": {"LRT_MAX_FAILURES": "-1"},
        "failures with a fraction": {"LRT_MAX_FAILURES": "2.5"},
        "a superscript": {"LRT_MAX_SILENT": "²"},
        "checkpoints every week": {"LRT_CHECKPOINT_SECONDS": "604800"},
        "a workload without a function": {"LRT_WORKLOAD": "train.py"},
        "a command of nothing": {"LRT_WORKLOAD": "cmd:"},
        "a command with one quotation mark": {"LRT_WORKLOAD": 'cmd: sh -c "sleep 5'},
        "a letter too many": {"LRT_LEASE_SECONDSS": "60"},
        "a metadata service without http": {"LRT_IMDS_URL": "169.254.169.254"},
        "three at once": {"LRT_LEASE_SECONDS": "x", "LRT_MAX_SILENT": "y", "LRT_IDLE_EXIT_SECONDS": "-5"},
    },
)
