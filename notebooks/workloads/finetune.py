"""Low-rank adaptation (LoRA) of one frozen layer, as small as it can be: NumPy in the place of PyTorch and a GPU.

A job has ``rank``, ``lr``, ``steps`` and ``seed``. What a training of your own has to do is all here: go on from
the checkpoint that it is given, yield one wherever it could be interrupted, and return the result with its files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lrtkit import Checkpoint, InvalidJob, Result

WIDTH, BATCH, TRUE_RANK = 64, 16, 4


def validate(job: dict[str, Any]) -> None:
    """Refuse a job that can never run, before anything is spent on it."""
    if not 1 <= job["rank"] <= WIDTH:
        raise InvalidJob(f"rank is {job['rank']} but must be between 1 and {WIDTH}")


def run(job: dict[str, Any], checkpoint: Checkpoint | None) -> Iterator[Checkpoint]:
    """Train the adapter and return how far the adapted layer is from the wanted one."""
    rng = np.random.default_rng(job["seed"])
    missing = rng.normal(size=(WIDTH, TRUE_RANK)) @ rng.normal(size=(TRUE_RANK, WIDTH)) / WIDTH
    missing += rng.normal(size=(WIDTH, WIDTH)) / WIDTH * 0.3  # what no adapter of a low rank can learn
    step, down, up = 0, rng.normal(size=(job["rank"], WIDTH)) / WIDTH**0.5, np.zeros((WIDTH, job["rank"]))
    if checkpoint:
        step, rng.bit_generator.state = checkpoint["step"], checkpoint["rng"]  # without it other batches would follow
        with np.load(checkpoint.path("adapter.npz")) as saved:
            down, up = saved["down"], saved["up"]

    def save(path: Path) -> None:
        np.savez(path, down=down, up=up)

    while step < job["steps"]:
        batch = rng.normal(size=(BATCH, WIDTH))
        error = batch @ (up @ down - missing).T / BATCH
        down, up = down - job["lr"] * up.T @ error.T @ batch, up - job["lr"] * error.T @ batch @ down.T
        step += 1
        yield Checkpoint({"step": step, "rng": rng.bit_generator.state}, files={"adapter.npz": save})
    loss = float(((up @ down - missing) ** 2).sum())
    return Result({"loss": loss}, files={"adapter.npz": save})
