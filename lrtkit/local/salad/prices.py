"""GPU classes with the prices of 12 September 2026 in dollars an hour (from one secondary source)."""

from __future__ import annotations

import uuid
from typing import Any

PRIORITIES = ("high", "medium", "low", "batch")

_GPUS = {
    "RTX 5090 (32 GB)": ("0.500", "0.417", "0.333", "0.250"),
    "RTX 4090 (24 GB)": ("0.330", "0.273", "0.217", "0.160"),
    "RTX 5080 (16 GB)": ("0.260", "0.223", "0.187", "0.150"),
    "RTX 3090 (24 GB)": ("0.170", "0.143", "0.117", "0.090"),
    "RTX 4070 (12 GB)": ("0.150", "0.123", "0.097", "0.070"),
}


def _gpu_class(name: str, prices: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.gpu.lrt-local")),
        "name": name,
        "prices": [{"priority": priority, "price": price} for priority, price in zip(PRIORITIES, prices, strict=True)],
        "is_high_demand": False,
    }


GPU_CLASSES = [_gpu_class(name, prices) for name, prices in _GPUS.items()]
GPU_CLASS_IDS = {gpu_class["id"] for gpu_class in GPU_CLASSES}
