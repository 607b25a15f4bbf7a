"""A SaladCloud on this machine: the public API's paths and shapes, and replicas that are real processes."""
