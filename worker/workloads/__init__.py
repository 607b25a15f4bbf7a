"""Example workloads: each module offers ``run(job, checkpoint)`` and ``validate(job)``."""
