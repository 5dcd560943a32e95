"""The same batch on a Ray cluster: tasks instead of worker processes, under the same leader and manifest.

A picture is first held to what is there, where something is; the manifest says ``running`` before the task
that repairs it is handed in. So many tasks as the cluster has cores, and as many again, are in flight. Ray
runs a task again when its worker or node dies, somewhere else if need be: results appear whole, and the same
bytes come of it.

Reference: Moritz et al., Ray: a distributed framework for emerging AI applications, OSDI 2018.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from remend.album import Job
from remend.batch.manifest import Known, Manifest
from remend.batch.outcome import BatchOptions, Outcome
from remend.batch.run import AHEAD, DIED, Leader
from remend.batch.work import Answer, Task, is_there, settle, work
from remend.errors import InternalError, ResourceError, UsageError
from remend.privacy import keep_quiet

__all__ = ["run_on_cluster"]

AGAIN = 5  # times that Ray does a task again whose worker or node died
IN_FLIGHT = 2  # tasks a core: one at work, one whose picture is on its way
LOOKS_S = 1.0


def run_on_cluster(
    jobs: Sequence[Job],
    shared: BatchOptions,
    *,
    address: str | None = None,
    processes: int | None = None,
    manifest: Manifest | None = None,
) -> Iterator[tuple[Job, Outcome]]:
    """Repair pictures on a Ray cluster, and answer for each, in their order.

    Every node must see the pictures and the results under the same names (a shared disk, or URLs), and have
    this Remend installed with the same models: the same pixels come of it.

    Args:
        jobs: from ``plan_jobs``.
        shared: what they have in common.
        address: of the cluster; None = that of ``RAY_ADDRESS``, or one is started on this machine.
        processes: pictures at a time; None = as many as the cluster has cores.
        manifest: what was done, and is done; None = nothing is kept.

    Raises:
        UsageError: Ray is not installed, or no cluster answers.
    """
    ray = _ray()
    begun = not ray.is_initialized()
    if begun:
        _join(ray, address, processes)
    try:
        cores = processes or max(1, int(ray.cluster_resources().get("CPU", 1)))
        yield from _through(ray, Leader(jobs, shared, manifest), cores)
    finally:
        if begun:
            ray.shutdown()


def _ray() -> Any:
    keep_quiet()
    try:
        import ray
    except ImportError as error:
        raise UsageError("--engine ray needs Ray: pip install '.[ray]'") from error
    return ray


def _join(ray: Any, address: str | None, processes: int | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    if address is not None:
        options = {"address": address} | {name: options[name] for name in ("log_to_driver", "logging_level")}
    elif processes is not None:
        options["num_cpus"] = processes
    try:
        ray.init(**options)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:160]
        raise UsageError(
            f"no Ray cluster at {address or 'this machine'} ({said}): `ray start` one"
        ) from error


def _through(ray: Any, leader: Leader, cores: int) -> Iterator[tuple[Job, Outcome]]:
    looks, does = (
        ray.remote(num_cpus=1, max_retries=AGAIN)(function) for function in (_settle_there, _work_there)
    )
    tasks, again = leader.tasks(), deque[Task]()
    following = next(tasks, None)
    at_work: dict[Any, tuple[Task, bool]] = {}  # by reference: the task, and whether it only looks

    def hand_in(task: Task) -> None:
        if task.shared.dry_run or not is_there(task.job.target):
            leader.begins(task)
            at_work[does.remote(_taken(task))] = task, False
        else:
            at_work[looks.remote(task)] = task, True

    while following is not None or again or at_work:
        while len(at_work) < IN_FLIGHT * cores and again:
            hand_in(again.popleft())
        while (
            following is not None
            and len(at_work) < IN_FLIGHT * cores
            and leader.ahead(following) < AHEAD * cores
        ):
            hand_in(following)
            following = next(tasks, None)
        done, _ = ray.wait(list(at_work), num_returns=1, timeout=LOOKS_S)
        for reference in done:
            task, looked = at_work.pop(reference)
            answer = _answer(ray, reference, leader, task)
            if looked and answer is None:
                leader.begins(task)
                at_work[does.remote(_taken(task))] = task, False
            elif answer is not None and (more := leader.hear(task, answer)) is not None:
                again.append(more)
        yield from leader.ready()


def _taken(task: Task) -> Task:
    """The task when the manifest says ``running``: what lies there now is of this batch.

    So a task that Ray does again after it had written its result writes it once more.
    """
    return replace(task, known=Known("running"))


def _answer(ray: Any, reference: Any, leader: Leader, task: Task) -> Answer | None:
    try:
        answer: Answer | None = ray.get(reference)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        memory = isinstance(error, ray.exceptions.OutOfMemoryError)
        return leader.lost(task, ResourceError("out of memory on its node" if memory else DIED))
    except ray.exceptions.RayError as error:
        said = " ".join(str(error).split())[:160]
        return leader.lost(task, InternalError(f"Ray gave no answer: {said}"))
    return answer


def _settle_there(task: Task) -> Answer | None:
    return settle(task)


def _work_there(task: Task) -> Answer:
    import cv2

    cv2.setNumThreads(1)  # as many as the task has cores
    return work(task)
