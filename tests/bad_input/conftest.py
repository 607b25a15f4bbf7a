"""A laboratory with real workers, as their own tests have it."""

from tests.worker.conftest import lab

__all__ = ["lab"]
