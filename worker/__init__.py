"""The worker: takes a job, holds it by a lease, runs its workload, saves its checkpoints, commits its result."""
