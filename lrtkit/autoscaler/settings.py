"""What an autoscaler reads from its environment, on a machine of ours or as a function of AWS Lambda."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lrtkit.salad import SaladSettings
from lrtkit.scaling import Policy
from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import Access, BucketSettings, CloudSettings, QueueSettings

_REGION = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com")
_BUCKET = ("R2_S3_ENDPOINT_URL", "R2_BUCKET_NAME", "R2_AWS_ACCESS_KEY_ID", "R2_AWS_SECRET_ACCESS_KEY")

OWN_ROLE = Access("", "")
"""No key of its own: boto3 then takes the function's role."""


def check(env: Mapping[str, str], *, policy: Policy | None = None) -> None:
    """Raise BadInput that tells all that is wrong with an autoscaler's environment at once."""
    problems = []
    for read in (group_name, cloud_settings, SaladSettings.from_env, *([] if policy else [Policy.from_env])):
        try:
            read(env)
        except BadInput as error:
            problems.append(str(error))
    if problems:
        raise BadInput("; ".join(problems))


def cloud_settings(env: Mapping[str, str]) -> CloudSettings:
    """Return where queue and bucket are; raise BadInput that names all that is missing.

    The guide's ``queue_url`` alone is enough for the queue where the machine has a role that may read its depth.
    """
    url = env.get("queue_url") or env.get("SQS_QUEUE_URL") or ""
    region = env.get("SQS_AWS_REGION") or _region_of(url) or env.get("AWS_REGION") or ""
    missing = [name for name in _BUCKET if not env.get(name)]
    missing += [name for name, value in {"queue_url": url, "SQS_AWS_REGION": region}.items() if not value]
    if missing:
        raise BadInput(f"the environment lacks {', '.join(missing)}. Try: read autoscaler.env, or set them there")
    endpoint_url = env.get("AWS_ENDPOINT_URL_SQS") or None
    queue = QueueSettings(url, "", region, _queue_access(env), endpoint_url)
    return CloudSettings(queue, BucketSettings(env["R2_BUCKET_NAME"], env["R2_S3_ENDPOINT_URL"], _bucket_access(env)))


def group_name(env: Mapping[str, str]) -> str:
    """Return the container group that is to be scaled."""
    name = env.get("salad_container_group_name")
    if not name:
        raise BadInput("salad_container_group_name is missing: the name of the container group, as on SaladCloud")
    return name


def _region_of(url: str) -> str:
    found = _REGION.match(url)
    return found[1] if found else ""


def _queue_access(env: Mapping[str, str]) -> Access:
    key_id, secret = env.get("SQS_AWS_ACCESS_KEY_ID"), env.get("SQS_AWS_SECRET_ACCESS_KEY")
    return Access(key_id, secret) if key_id and secret else OWN_ROLE


def _bucket_access(env: Mapping[str, str]) -> Access:
    return Access(env["R2_AWS_ACCESS_KEY_ID"], env["R2_AWS_SECRET_ACCESS_KEY"])
