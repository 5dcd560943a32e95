"""Pictures through workers: in order, each accounted for, tried again with less where memory ran out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from remend.album import Job
from remend.batch.crew import Crew
from remend.batch.manifest import Known, Manifest
from remend.batch.outcome import BatchOptions, Failure, Outcome
from remend.batch.work import Answer, Task, work
from remend.errors import LimitError, ResourceError

__all__ = ["AHEAD", "Leader", "run_jobs"]

LESS_PX = 256  # windows of a picture for which memory ran out twice
AHEAD = 64  # answers a worker may be ahead of the first that is awaited: they are told in order
DIED = "the worker died, most likely for memory: use fewer --jobs or a smaller picture"


def run_jobs(
    jobs: Sequence[Job],
    shared: BatchOptions,
    *,
    processes: int = 1,
    manifest: Manifest | None = None,
) -> Iterator[tuple[Job, Outcome]]:
    """Repair them, and answer for each, in their order.

    A bad picture is a Failure and never stops the rest; a worker that dies (killed for memory, say) costs its
    own picture only, and that is tried again: alone, then with smaller windows.

    Args:
        jobs: from ``plan_jobs``.
        shared: what they have in common.
        processes: how many pictures at a time; each needs memory of its own.
        manifest: what was done, and is done; None = nothing is kept.
    """
    leader = Leader(jobs, shared, manifest)
    if processes <= 1 or len(jobs) <= 1:
        for task in leader.tasks():
            again: Task | None = task
            while again is not None:
                again = leader.hear(again, work(again, _beginner(leader, again)))
            yield from leader.ready()
        return
    yield from _in_processes(leader, min(processes, len(jobs)))


def _beginner(leader: Leader, task: Task) -> Callable[[], None]:
    return lambda: leader.begins(task)


def _in_processes(leader: Leader, processes: int) -> Iterator[tuple[Job, Outcome]]:
    tasks = leader.tasks()
    again: deque[Task] = deque()  # for which memory ran out: each is done while nobody else works
    following = next(tasks, None)
    with Crew(processes) as crew:
        while following is not None or again or crew.busy:
            if again and not crew.busy:
                crew.give(again.popleft())
            while (
                following is not None
                and not again
                and crew.free
                and leader.ahead(following) < AHEAD * processes
            ):
                crew.give(following)
                following = next(tasks, None)
            for event in crew.hear():
                if event.kind == "begins":
                    leader.begins(event.task)
                    crew.go(event.task)
                    continue
                if event.answer is not None:
                    answer = event.answer
                elif event.kind == "died":
                    answer = leader.lost(event.task, ResourceError(DIED))
                else:
                    limit = event.task.shared.bounds.time_limit_s
                    reason = f"did not end within {limit:g} s and was stopped: raise --time-limit"
                    answer = leader.lost(event.task, LimitError(reason))
                if (more := leader.hear(event.task, answer)) is not None:
                    again.append(more)
            yield from leader.ready()


@dataclass
class Leader:
    """What leads a batch, whatever does its work: the manifest's only writer, and who keeps the order."""

    jobs: Sequence[Job]
    shared: BatchOptions
    manifest: Manifest | None
    _waiting: dict[int, Outcome] = field(default_factory=dict)
    _next: int = 0
    _tries: dict[int, int] = field(default_factory=dict)

    def tasks(self) -> Iterator[Task]:
        """Each job with what is known of it."""
        for number, job in enumerate(self.jobs):
            known = None if self.manifest is None else self.manifest.known(job)
            yield Task(number, job, self.shared, known, keep=self.manifest is not None)

    def begins(self, task: Task) -> None:
        """A result may appear from now on."""
        if self.manifest is not None and not task.shared.dry_run:
            self.manifest.begin(task.job)

    def lost(self, task: Task, error: Exception) -> Answer:
        """The answer of a worker that gives none."""
        failure = Failure.of(str(task.job.source), error)
        return Answer(failure, Known("failed", reason=failure.message))

    def hear(self, task: Task, answer: Answer) -> Task | None:
        """Take an answer; the task to try again, if memory ran out and less may do."""
        tries = self._tries[task.number] = self._tries.get(task.number, 0) + 1
        if isinstance(answer.outcome, Failure) and answer.outcome.starved and tries <= 2:
            known = None if self.manifest is None else self.manifest.known(task.job)
            return replace(task, known=known, window_px=LESS_PX if tries == 2 else task.window_px)
        self._tries.pop(task.number, None)
        if self.manifest is not None and answer.known is not None and not task.shared.dry_run:
            self.manifest.end(task.job, answer.known)
        self._waiting[task.number] = answer.outcome
        return None

    def ahead(self, task: Task) -> int:
        """How far a task is beyond the first whose answer is awaited."""
        return task.number - self._next

    def ready(self) -> Iterator[tuple[Job, Outcome]]:
        """Answers whose turn has come."""
        while self._next in self._waiting:
            outcome = self._waiting.pop(self._next)
            self._next += 1
            yield self.jobs[self._next - 1], outcome
