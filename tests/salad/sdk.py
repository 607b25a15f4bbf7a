"""The official SDK, whose source has escape sequences that Python warns of."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from salad_cloud_sdk import SaladCloudSdk
    from salad_cloud_sdk.models import (
        ContainerGroupCreationRequest,
        ContainerGroupInstancePatch,
        ContainerGroupPatch,
        ProblemDetails,
    )

__all__ = [
    "ContainerGroupCreationRequest",
    "ContainerGroupInstancePatch",
    "ContainerGroupPatch",
    "ProblemDetails",
    "SaladCloudSdk",
]
