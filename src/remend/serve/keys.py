"""Idempotency keys: the same key with the same request is the same job."""

from __future__ import annotations

from remend.serve.job import Job
from remend.serve.problems import Problem

__all__ = ["MOST_LENGTH", "Keys"]

MOST_LENGTH = 200


class Keys:
    """Which key stands for which job; a key lives as long as its job is remembered."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[bytes, Job]] = {}

    def find(self, key: str, fingerprint: bytes) -> Job | None:
        """The job that the key stands for, None for a new key.

        Raises:
            Problem: ``key-reused``: it stands for another request.
        """
        found = self._jobs.get(key)
        if found is None:
            return None
        if found[0] != fingerprint:
            raise Problem("key-reused", "the key came before, with another picture or other options")
        return found[1]

    def keep(self, key: str, fingerprint: bytes, job: Job) -> None:
        """From now on the key stands for the job."""
        self._jobs[key] = (fingerprint, job)

    def drop(self, job: Job) -> None:
        """The job is forgotten, and its key with it."""
        for key in [key for key, (_, kept) in self._jobs.items() if kept is job]:
            del self._jobs[key]
