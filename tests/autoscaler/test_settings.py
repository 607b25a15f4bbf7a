"""What an autoscaler reads from its environment."""

from __future__ import annotations

import pytest

from lrtkit.autoscaler import Autoscaler
from lrtkit.autoscaler.settings import cloud_settings
from lrtkit.wire.errors import BadInput

BUCKET = {
    "R2_S3_ENDPOINT_URL": "https://account.r2.cloudflarestorage.com",
    "R2_BUCKET_NAME": "bucket",
    "R2_AWS_ACCESS_KEY_ID": "KEY",
    "R2_AWS_SECRET_ACCESS_KEY": "secret",
}
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs.fifo"


def test_the_guides_queue_url_is_enough_for_the_queue():
    """The region is in the URL, the dead-letter queue is not looked at, and the key is that of the machine's role."""
    queue = cloud_settings({**BUCKET, "queue_url": URL}).queue
    assert (queue.url, queue.region, queue.dead_letter_url) == (URL, "eu-central-1", "")
    assert (queue.access.key_id, queue.access.secret) == ("", "")


def test_a_key_in_the_environment_is_taken():
    """On a machine without a role the autoscaler's own key reads the depth."""
    keys = {"SQS_AWS_ACCESS_KEY_ID": "ID", "SQS_AWS_SECRET_ACCESS_KEY": "secret"}
    assert cloud_settings({**BUCKET, "SQS_QUEUE_URL": URL, **keys}).queue.access.key_id == "ID"


def test_all_that_is_wrong_is_told_at_once():
    """Group, queue, bucket, key and bounds are missed in one sentence, and no secret is in it."""
    env = {name: value for name, value in BUCKET.items() if name != "R2_BUCKET_NAME"}
    with pytest.raises(BadInput) as caught:
        Autoscaler.from_env({**env, "salad_org": "acme", "max_replicas": "many"})
    told = str(caught.value)
    for name in ("salad_container_group_name", "R2_BUCKET_NAME", "queue_url", "salad_project", "salad_api_key"):
        assert name in told
    assert "min_replicas is missing" in told
    assert "max_replicas is 'many' but must be a whole number" in told
    assert "secret" not in told
