"""What is remembered of jobs, from the moment they are lined up until they expire."""

from __future__ import annotations

from remend.serve.job import Job
from remend.serve.keys import Keys
from remend.serve.limits import Limits
from remend.serve.shelf import Shelf

__all__ = ["Records"]


class Records:
    """Jobs by id, and what belongs to them.

    Attributes:
        jobs: all of them, over or not.
        shelf: results that can be asked for.
        keys: of clients that repeat themselves.
    """

    def __init__(self, limits: Limits) -> None:
        self.jobs: dict[str, Job] = {}
        self.shelf = Shelf(limits, self.forget)
        self.keys = Keys()

    def held_by(self, client: str) -> int:
        """Bytes of the uploads of one address."""
        return sum(job.upload.held for job in self.jobs.values() if job.client == client)

    def keep(self, job: Job) -> None:
        """A job is over: its result stays for who asks by id, as long as there is room."""
        if job.state != "done":
            self.shelf.empty(job)
        if job.kept:
            self.shelf.put(job)
        elif job.unwanted.is_set():
            self.forget(job)

    def forget(self, job: Job) -> None:
        """Nothing is left of it."""
        self.jobs.pop(job.id, None)
        self.keys.drop(job)
        self.shelf.empty(job)
        job.upload.discard()
