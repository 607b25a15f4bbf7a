"""The env files that a local cloud writes (contract 1): one for each role, with keys of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from lrtkit.local.folder import Folder
from lrtkit.local.launch import Launch
from lrtkit.wire.settings import write_env_file

ORGANIZATION, PROJECT, GROUP = "lrt-local", "default", "lrt-workers"
"""Where the local SaladCloud keeps container groups, and the name that the autoscaler looks for."""

_ACCOUNT = "000000000000"  # ministack's, for every key that is not twelve digits


def write_env_files(folder: Folder, launch: Launch, *, aws_url: str, salad_url: str, salad_key: str) -> None:
    """Write submitter.env, worker.env and autoscaler.env; every value also suits a container group."""
    roles = {role: _queue_and_bucket(role, launch, aws_url) for role in ("submitter", "worker", "autoscaler")}
    roles["autoscaler"] |= _scaling(roles["autoscaler"], salad_url, salad_key)
    for role, values in roles.items():
        write_env_file(folder.env_file(role), values)


def _queue_and_bucket(role: str, launch: Launch, url: str) -> dict[str, str]:
    """Return the guide's names; nobody checks the keys here, but each role has its own as in production."""
    return {
        "R2_AWS_ACCESS_KEY_ID": f"LOCALR2{role.upper()}",
        "R2_AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        "R2_S3_ENDPOINT_URL": url,
        "R2_BUCKET_NAME": launch.bucket,
        "SQS_AWS_ACCESS_KEY_ID": f"LOCALSQS{role.upper()}",
        "SQS_AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        "SQS_AWS_REGION": "us-east-1",
        "SQS_QUEUE_URL": f"{url}/{_ACCOUNT}/{launch.queue}",
        "SQS_DLQ_URL": f"{url}/{_ACCOUNT}/{launch.dead_letter_queue}",
        "AWS_ENDPOINT_URL_SQS": url,
    }


def _scaling(values: Mapping[str, str], salad_url: str, salad_key: str) -> dict[str, str]:
    return {
        "queue_url": values["SQS_QUEUE_URL"],
        "min_replicas": "0",
        "max_replicas": "4",
        "salad_org": ORGANIZATION,
        "salad_project": PROJECT,
        "salad_container_group_name": GROUP,
        "salad_api_key": salad_key,
        "salad_base_url": salad_url,
    }
