"""A program that counts as ``count`` does, speaks the file protocol, and knows of no signal."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tests.worker.cases import trace


def main() -> int:
    """Count from the checkpoint to the job's last step; do at ``at_step`` whatever else the job says."""
    job = json.loads(Path(os.environ["LRT_JOB"]).read_text())
    resume = os.environ.get("LRT_RESUME_DIR")
    state = json.loads(Path(resume, "checkpoint.json").read_text()) if resume else {"step": 0, "sum": 0}
    if resume:
        trace(f"{job['job_id']}-resumed", Path(resume, "step.txt").read_text())
    while state["step"] < job["steps"]:
        step = state["step"] + 1
        time.sleep(job.get("pause_s", 0) / 4)
        trace(job["job_id"], step)  # the rest of the step is work that must not be cut off
        time.sleep(job.get("pause_s", 0) * 3 / 4)
        state = {"step": step, "sum": state["sum"] + step}
        save(state)
        if step == job.get("at_step"):
            return int(job["exit"])
    write(Path(os.environ["LRT_RESULT"]), state["sum"])
    return 0


def save(state: dict[str, int]) -> None:
    """Make a new folder, whole once checkpoint.json is in it; and one that never becomes whole."""
    checkpoints = Path(os.environ["LRT_CHECKPOINT_DIR"])
    folder = checkpoints / f"step-{state['step']}"
    folder.mkdir()
    (folder / "step.txt").write_text(str(state["step"]))
    write(folder / "checkpoint.json", state)
    torn = checkpoints / f"torn-{state['step']}"
    torn.mkdir()
    (torn / "step.txt").write_text("torn")


def write(path: Path, value: object) -> None:
    """Write a JSON file that is either whole or not there."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value))
    draft.rename(path)


if __name__ == "__main__":
    sys.exit(main())
